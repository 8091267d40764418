// The statistics device: event counters and frames, as text.
#pragma once

// Makes it device DEV_STATS.  Boot.
void stats_init(void);
