// The one way PostgreSQL's headers enter C++: with C linkage, and with the macros that break C++ removed.
// Nothing outside pg/, hooks/, workers/, sqlapi/ and *_pg files may include this.
#pragma once

#ifdef HOOPGUARD_PURE
#error "a pure floor must not see PostgreSQL"
#endif

extern "C" {
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"
}

// NLS and port macros that collide with the C++ standard library.
#undef _
#undef gettext
#undef dgettext
#undef ngettext
#undef dngettext
#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef fprintf
#undef printf
#undef strerror
#undef strerror_r
#undef bind
