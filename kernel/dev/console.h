// The console device: lines from the serial port, with editing; and output.
#pragma once

// Makes it device DEV_CONSOLE and starts to listen.  Boot.
void console_init(void);
