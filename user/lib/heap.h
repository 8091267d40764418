// Keeps all threads but the caller out of malloc and free; for the library alone.
#pragma once

void heap_hold(void);
void heap_let_go(void);
