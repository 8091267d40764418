# Builds the kernel, its programs and the disk image, and boots them.
# `make help` lists targets and knobs.  Everything made goes to build/:
#
#   build/kernel          the kernel, an ELF file; of DEBUG=1: build/debug/kernel
#   build/fs.img          the disk: all programs and README.md
#   build/user/NAME       a program as it stands on the disk (NAME.elf: with symbols)
#
# Sources are found by wildcard.  Under user/ and stress/, each NAME.c is a
# program, together with NAME_*.S where there are such; a folder NAME/ is a
# program of all its files, unless a NAME.c beside it takes its place.

CPUS    ?= 4
MEM     ?= 128M
QEMU    ?= qemu-system-riscv64
FSIMG   ?= build/fs.img
PYTHON  ?= python3
TIMEOUT ?= 0
HOURS   ?= 1
HOSTCC  ?= gcc
APPEND  ?=
QEMUEXTRA ?=
export PYTHONDONTWRITEBYTECODE := 1

on  = $(filter-out 0 no off,$(strip $(1)))
Q  := $(if $(call on,$(V)),,@)
OUT := build$(if $(call on,$(DEBUG)),/debug)
OBJ := build/obj

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all qemu qemu-gdb gdb run grade test mutants stress campaign bench bench-plot \
        bench-compare fsck clean deps print-gdbport help FORCE
all: $(OUT)/kernel build/fs.img ## the kernel and the disk

# ---- tools -----------------------------------------------------------------

PREFIXES := riscv64-unknown-elf- riscv64-elf- riscv64-none-elf- riscv-none-elf- \
            riscv64-linux-gnu- riscv64-unknown-linux-gnu-
goals    := $(or $(MAKECMDGOALS),all)
building := $(filter-out clean deps help print-gdbport gdb fsck,$(goals))
booting  := $(filter qemu qemu-gdb run grade test mutants stress campaign bench% neighbour machines,$(goals))
found     = $(shell command -v $(firstword $(1)) 2>/dev/null)
missing   = $(error $(1) is missing: run `make deps`, or set $(2) to yours)

ifneq ($(building),)
  ifndef TOOLPREFIX
    TOOLPREFIX := $(firstword $(foreach p,$(PREFIXES),$(if $(call found,$(p)gcc),$(p))))
    ifeq ($(TOOLPREFIX),)
      $(call missing,a RISC-V compiler (riscv64-unknown-elf-gcc),TOOLPREFIX)
    endif
  endif
endif
CC := $(TOOLPREFIX)gcc
LD := $(TOOLPREFIX)ld
AR := $(TOOLPREFIX)ar
NM := $(TOOLPREFIX)nm
STRIP := $(TOOLPREFIX)strip

ifneq ($(building),)
  $(foreach t,$(CC) $(LD) $(AR) $(NM) $(STRIP),\
    $(if $(filter -%,$(t))$(call found,$(t)),,$(call missing,$(t),TOOLPREFIX)))
  $(if $(call found,$(PYTHON)),,$(call missing,$(PYTHON),PYTHON))
endif
ifneq ($(booting),)
  $(if $(call found,$(QEMU)),,$(call missing,$(QEMU),QEMU))
  qemu_version := $(shell $(QEMU) --version | \
    sed -n 's/^QEMU emulator version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  ifneq ($(shell set -- $(qemu_version) 0 0; test $$(($$1 * 1000 + $$2)) -ge 7002 && echo new),new)
    $(error $(QEMU) is too old ($(or $(subst $() ,.,$(qemu_version)),no version found)): \
      7.2 or newer is needed, set QEMU to one)
  endif
  firmware := $(filter-out %=none,$(filter -bios=% --bios=%,\
    $(subst -bios ,-bios=,$(strip $(QEMUEXTRA)))))
  ifneq ($(firmware),)
    $(error QEMUEXTRA has $(firmware): no firmware fits, for the kernel stands where it would and \
      has machine mode to itself; leave -bios out)
  endif
endif

# ---- flags -----------------------------------------------------------------

ARCH   := -march=rv64gc -mabi=lp64 -mcmodel=medany
COMMON := -std=gnu11 $(ARCH) -O2 -g -Wall -ffreestanding -fno-common -fno-strict-aliasing \
          -fno-stack-protector -fno-pie -fno-asynchronous-unwind-tables -nostdlib -MMD -MP
# Without floating point: its registers are the program's.  Compilers before binutils 2.36
# do not know zicsr and zifencei by name, later ones want them named.
KARCH  := $(if $(building),$(firstword $(foreach m,rv64imac_zicsr_zifencei rv64imac,\
  $(shell echo | $(CC) -march=$(m) -mabi=lp64 -x c -c -o /dev/null - 2>/dev/null && echo $(m)))))
KFLAGS := $(COMMON) -march=$(KARCH) -Wextra -Werror -fno-omit-frame-pointer -Ikernel -Iuser/include -I.
ifneq ($(call on,$(DEBUG)),)
  KFLAGS += -DDEBUG -fsanitize=undefined -fsanitize-undefined-trap-on-error
endif
# Programs written elsewhere must build, so theirs is -Wall; STRICT=1 asks more.
UFLAGS    := $(COMMON) -I. -Iuser/include
LIBFLAGS  := $(UFLAGS) -Wextra -Werror
PROGFLAGS := $(UFLAGS) $(if $(call on,$(STRICT)),-Wextra -Werror)
LDFLAGS   := -m elf64lriscv -static -z max-page-size=4096 -z noexecstack

# $(call stamp,FILE,LINES): FILE holds LINES, which are shell words, and is
# touched only when they change.
define stamp
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' $(2) | cmp -s - $$@ || printf '%s\n' $(2) >$$@
endef
FORCE:

silent := $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS))))
say = $(if $(silent),,$(if $(Q),@printf '  %-5s %s\n' $(1) $(2)))
define compile
$(call say,CC,$<)
@mkdir -p $(@D)
$(Q)$(CC) $(1) -c -o $@ $<
endef

# ---- kernel ----------------------------------------------------------------

KOBJ  := $(OUT)/obj/kernel
ksrc  := $(sort $(shell find kernel -name '*.[cS]'))
kobjs := $(patsubst kernel/%,$(KOBJ)/%.o,$(ksrc))
$(eval $(call stamp,$(KOBJ)/flags,'$(CC) $(KFLAGS)' '$(LD) $(LDFLAGS)'))
$(eval $(call stamp,$(KOBJ)/files,$(ksrc)))

$(kobjs): $(KOBJ)/%.o: kernel/% $(KOBJ)/flags
	$(call compile,$(KFLAGS))

# The symbol table that backtraces read is linked in by a second pass: the first
# one, with an empty table, tells the addresses.  The table must come behind the
# text, so that nothing in it moves; the last line makes sure of that.
klink   = $(LD) $(LDFLAGS) -T kernel/kernel.ld $(kobjs)
ktable  = $(PYTHON) kernel/debug/ksyms.py
$(OUT)/kernel: $(kobjs) $(KOBJ)/files kernel/kernel.ld kernel/debug/ksyms.py
	$(call say,LD,$@)
	$(Q)$(ktable) --empty -o $(KOBJ)/ksyms0.S
	$(Q)$(CC) $(ARCH) -c -o $(KOBJ)/ksyms0.o $(KOBJ)/ksyms0.S
	$(Q)$(klink) $(KOBJ)/ksyms0.o -o $(KOBJ)/pass1
	$(Q)$(NM) -n $(KOBJ)/pass1 >$(KOBJ)/pass1.nm
	$(Q)$(ktable) $(KOBJ)/pass1.nm -o $(KOBJ)/ksyms.S
	$(Q)$(CC) $(ARCH) -c -o $(KOBJ)/ksyms.o $(KOBJ)/ksyms.S
	$(Q)$(klink) $(KOBJ)/ksyms.o -o $(KOBJ)/pass2
	$(Q)$(NM) -n $(KOBJ)/pass2 >$(KOBJ)/pass2.nm
	$(Q)$(ktable) $(KOBJ)/pass2.nm --same-as $(KOBJ)/ksyms.S
	$(Q)mv $(KOBJ)/pass2 $@

# ---- programs --------------------------------------------------------------

folders  = $(filter-out include lib,$(notdir $(patsubst %/,%,$(dir $(wildcard $(1)/*/*.c)))))
programs = $(sort $(basename $(notdir $(wildcard $(1)/*.c))) $(call folders,$(1)))
sources  = $(or $(wildcard $(1)/$(2).c $(if $(wildcard $(1)/$(2).c),$(1)/$(2)_*.S)),\
             $(sort $(wildcard $(1)/$(2)/*.[cS])))
UPROGS := $(call programs,user)
SPROGS := $(call programs,stress)
twice  := $(filter $(UPROGS),$(SPROGS))
$(if $(twice),$(error there are two programs called $(twice): one in user/, one in stress/))

start   := $(OBJ)/user/start.S.o
# The stubs come first: they are weak, and a file of user/lib that is linked for
# another reason may define the same name.
libsrc  := user/usys.S $(sort $(wildcard user/lib/*.[cS]))
libobjs := $(libsrc:%=$(OBJ)/%.o)
library := $(OBJ)/user/lib.a
$(eval $(call stamp,$(OBJ)/flags,'$(CC)' '$(LIBFLAGS)' '$(PROGFLAGS)' '$(LD) $(LDFLAGS)'))
$(eval $(call stamp,$(OBJ)/library,$(libsrc)))

$(start) $(libobjs): $(OBJ)/%.o: % $(OBJ)/flags
	$(call compile,$(LIBFLAGS))

$(library): $(libobjs) $(OBJ)/library
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(libobjs)

# $(call program,FOLDER,NAME): what NAME is made of.
define program
psrc += $(call sources,$(1),$(2))
build/user/$(2).elf: $(patsubst %,$(OBJ)/%.o,$(call sources,$(1),$(2))) $(OBJ)/$(1)/$(2).files
$(call stamp,$(OBJ)/$(1)/$(2).files,$(call sources,$(1),$(2)))
endef
psrc :=
$(foreach p,$(UPROGS),$(eval $(call program,user,$(p))))
$(foreach p,$(SPROGS),$(eval $(call program,stress,$(p))))
progs := $(addprefix build/user/,$(UPROGS) $(SPROGS))

$(psrc:%=$(OBJ)/%.o): $(OBJ)/%.o: % $(OBJ)/flags
	$(call compile,$(PROGFLAGS))

$(progs:%=%.elf): user/user.ld $(start) $(library)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) $(LDFLAGS) -T user/user.ld -o $@ $(start) \
	  $(filter-out $(start),$(filter %.o,$^)) $(library)

$(progs): %: %.elf
	$(Q)$(STRIP) --strip-all -o $@ $<

# ---- disk ------------------------------------------------------------------

ondisk := $(wildcard README.md) $(sort $(progs))
$(eval $(call stamp,$(OBJ)/ondisk,$(ondisk)))
build/fs.img: user/mkfs.py $(ondisk) $(OBJ)/ondisk
	$(call say,MKFS,$@)
	$(Q)$(PYTHON) user/mkfs.py $(if $(wildcard README.md),--link README=README.md) $@ $(ondisk)

fsck: ## check the consistency of the disk FSIMG
	$(Q)$(PYTHON) user/fsck.py $(FSIMG)

-include $(patsubst %.o,%.d,$(kobjs) $(start) $(libobjs) $(psrc:%=$(OBJ)/%.o))

# ---- booting ---------------------------------------------------------------

# An image of yours is booted as a copy that ends with QEMU, unless FSIMG_RW=1.
ours     := $(filter build/fs.img,$(FSIMG))
bootable := $(OUT)/kernel $(ours)
comma    := ,
snapshot := $(if $(ours)$(call on,$(FSIMG_RW)),,$(comma)snapshot=on)
GDBPORT  := $(shell expr `id -u` % 5000 + 25000)
qemuargs  = -machine virt -bios none -kernel $(OUT)/kernel -m $(MEM) -smp $(CPUS) -nographic \
  -global virtio-mmio.force-legacy=false \
  -drive file=$(FSIMG),if=none,format=raw,id=x0$(snapshot) \
  -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0 \
  $(if $(strip $(APPEND)),-append "$(strip $(APPEND))") $(QEMUEXTRA)

# `exec`, so that who ends make ends QEMU and not a shell between the two.
qemu: $(bootable) ## boot to the shell (Ctrl-A X ends QEMU)
	$(Q)exec $(QEMU) $(qemuargs)

qemu-gdb: $(bootable) build/gdbinit ## boot stopped; `make gdb` in another window starts it
	@echo "waiting for gdb on port $(GDBPORT): run 'make gdb' in another window" >&2
	$(Q)exec $(QEMU) $(qemuargs) -S -gdb tcp:127.0.0.1:$(GDBPORT)

$(eval $(call stamp,build/gdbinit,'set architecture riscv:rv64' 'file $(OUT)/kernel' \
  'target remote 127.0.0.1:$(GDBPORT)'))
gdb: ## attach gdb to `make qemu-gdb`
	@test -f build/gdbinit || { echo "run 'make qemu-gdb' in another window first" >&2; exit 1; }
	@for g in $(GDB) riscv64-unknown-elf-gdb gdb-multiarch riscv64-linux-gnu-gdb; do \
	  command -v $$g >/dev/null && exec $$g -q -x build/gdbinit; done; \
	  echo "gdb-multiarch is missing: install it, or set GDB to yours" >&2; exit 1

print-gdbport: ## the port that qemu-gdb listens on
	@echo $(GDBPORT)

# A private copy of the disk, the commands typed at the prompt, their status.  What CMD
# holds is typed as it stands: make does not expand it.
override CMD := $(value CMD)
export CMD
run: $(bootable) ## CMD='...' boots, types it, ends with its status
	$(Q)$(PYTHON) stress/run.py --kernel $(OUT)/kernel --image $(FSIMG) --qemu $(QEMU) \
	  --cpus $(CPUS) --mem $(MEM) --append '$(strip $(APPEND))' --extra '$(strip $(QEMUEXTRA))' \
	  --timeout $(TIMEOUT)

# ---- checking --------------------------------------------------------------

grade: ## the exam: 100 points (GRADEFLAGS='-v cow' for some of it)
	$(Q)CPUS=$(CPUS) MEM=$(MEM) QEMU=$(QEMU) APPEND='$(strip $(APPEND))' \
	  DEBUG='$(call on,$(DEBUG))' $(PYTHON) grade-lab-lazy $(GRADEFLAGS)

test: ## everything that continuous integration runs (TESTFLAGS='--junit FILE')
	$(Q)$(PYTHON) stress/test.py --make '$(MAKE)' --qemu $(QEMU) \
	  --toolprefix '$(TOOLPREFIX)' $(TESTFLAGS)

mutants: ## break the kernel on purpose: tests must notice (MUTANTFLAGS='--some 5')
	$(Q)$(PYTHON) stress/mutants.py --make '$(MAKE)' --qemu $(QEMU) \
	  --toolprefix '$(TOOLPREFIX)' $(MUTANTFLAGS)

CAMPAIGN = $(PYTHON) stress/campaign --make '$(MAKE)' --qemu $(QEMU) \
  --toolprefix '$(TOOLPREFIX)' --append '$(strip $(APPEND))'
stress: ## storms for five minutes (STRESSFLAGS='--first-seed 100')
	$(Q)$(CAMPAIGN) --results build/stress --fresh --hours 0.083 --seconds 5 \
	  --cpus 2,4,8 --mem 64M,128M $(STRESSFLAGS)

campaign: ## storms on guests of all shapes for HOURS, goes on where it ended (CAMPAIGNFLAGS=...)
	$(Q)$(CAMPAIGN) --hours $(HOURS) $(CAMPAIGNFLAGS)

BENCH = $(PYTHON) stress/benchrun.py --make '$(MAKE)' --qemu $(QEMU) --toolprefix '$(TOOLPREFIX)'
bench: build/kernel build/fs.img ## instructions for each operation, beside others' (BENCHFLAGS=--check)
	$(Q)$(BENCH) --json build/bench.json $(BENCHFLAGS)

bench-plot: build/kernel build/fs.img ## the same as a picture, build/bench.svg (needs gnuplot)
	$(Q)$(BENCH) --plot build/bench.svg

bench-compare: build/kernel build/fs.img ## BASE=revision: the ratio of each row to that one's
	$(Q)$(BENCH) --base $(or $(BASE),HEAD)

.PHONY: bench-growth bench-memory
bench-growth: build/kernel build/fs.img ## how costs grow: straight or flat? build/growth-*.png
	$(Q)$(PYTHON) stress/growthrun.py --qemu $(QEMU) --json build/growth.json --plots build \
	  $(BENCHFLAGS)

bench-memory: build/kernel build/fs.img ## bytes of the kernel's own for each process, thread, page
	$(Q)$(PYTHON) stress/memoryrun.py --qemu $(QEMU) --json build/memory.json $(BENCHFLAGS)

.PHONY: bench-smp bench-wall
BENCHSMP = $(PYTHON) stress/benchsmp.py --qemu $(QEMU) --toolprefix '$(TOOLPREFIX)'
bench-smp: build/kernel build/fs.img ## all harts at once, the lines they contend for (needs HOSTCC)
	$(Q)$(BENCHSMP) --hostcc '$(HOSTCC)' --json build/bench-smp.json $(BENCHFLAGS)

bench-wall: build/kernel build/fs.img ## seconds with 1, 2, 4 and 8 harts, on a quiet machine
	$(Q)$(BENCHSMP) --wall $(BENCHFLAGS)

.PHONY: machines
machines: build/kernel build/fs.img ## all processors and machines that QEMU has: what each does
	$(Q)$(PYTHON) stress/machines.py --qemu $(QEMU) $(MACHINESFLAGS)

.PHONY: neighbour
neighbour: build/kernel build/fs.img ## what a process pays for what others do (NEIGHBOURFLAGS=--quick)
	$(Q)$(PYTHON) stress/neighbourrun.py --qemu $(QEMU) $(NEIGHBOURFLAGS)

# ---- housekeeping ----------------------------------------------------------

clean: ## remove build/
	rm -rf build

# What is missing is installed by apt, as root or through sudo; elsewhere named.
deps: ## install the compiler, QEMU, make and python3 where missing
	@want=; has() { command -v $$1 >/dev/null 2>&1; }; \
	gcc=; for p in $(TOOLPREFIX) $(PREFIXES); do has $${p}gcc && gcc=$$p; done; \
	test -n "$$gcc" || want="$$want gcc-riscv64-unknown-elf"; \
	has $(QEMU) || want="$$want qemu-system-misc"; \
	has $(MAKE) || want="$$want make"; \
	has $(PYTHON) || want="$$want python3"; \
	test -n "$$want" || { echo "nothing is missing"; exit 0; }; \
	echo "missing:$$want"; \
	root=; test "$$(id -u)" = 0 || root=sudo; \
	if ! has apt-get; then echo "install them by your system's package manager"; exit 1; fi; \
	if test -n "$$root" && ! has sudo; then echo "run as root: apt-get install$$want"; exit 1; fi; \
	test -n "$$root" && ! test -t 0 && root="sudo -n"; \
	apt="$$root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -qq"; \
	$$apt update || echo "the package lists could not be renewed: trying those at hand"; \
	$$apt install -y --no-install-recommends $$want || \
	  { echo "could not install: do it by hand, apt-get install$$want"; exit 1; }; \
	has $(QEMU) || $$apt install -y --no-install-recommends qemu-system-riscv; \
	has $(QEMU) || { echo "$(QEMU) is still missing"; exit 1; }; \
	echo "installed:$$want"

help: ## this
	@echo 'targets:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' Makefile | \
	  while IFS=@ read -r t d; do printf '  %-15s %s\n' "$$t" "$$d"; done
	@echo 'knobs (make NAME=value ...):'
	@printf '  %-15s %s\n' \
	  CPUS 'harts, $(CPUS)' MEM 'RAM, $(MEM)' \
	  DEBUG '1: lock ranks, page fill and undefined-behaviour traps' \
	  APPEND 'options for the kernel: key=value ...' \
	  FSIMG 'disk image to boot (a copy of it, unless FSIMG_RW=1)' \
	  CMD 'what `make run` types, commands one a line' \
	  TIMEOUT 'seconds for each command of `make run`, 0: as long as there is output' \
	  HOURS 'after which `make campaign` begins nothing more, $(HOURS)' \
	  HOSTCC 'compiler of this machine, for bench-smp, $(HOSTCC)' \
	  QEMU 'emulator, $(QEMU)' QEMUEXTRA 'further arguments for it' \
	  TOOLPREFIX 'compiler prefix, found by itself' \
	  STRICT '1: programs, too, build without any warning' V '1: show commands'
