// Every difference between PostgreSQL 15, 16, 17 and 18 that hoopguard meets, written for the newest
// signature, each with a sentence. No other file tests PG_VERSION_NUM.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "executor/executor.h"
#include "libpq/libpq-be.h"
#include "tcop/utility.h"
}
#undef bind

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "hoopguard knows PostgreSQL 15, 16, 17 and 18"
#endif

// 18 dropped ExecutorRun's execute_once argument.
#if PG_VERSION_NUM >= 180000
#define HOOPGUARD_RUN_ARGS QueryDesc *query, ScanDirection direction, uint64 count
#define HOOPGUARD_RUN_PASS query, direction, count
#else
#define HOOPGUARD_RUN_ARGS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define HOOPGUARD_RUN_PASS query, direction, count, once
#endif
