// The sealer: a background worker without a database that moves the journal from the ring into segments.
#pragma once

namespace hoopguard::workers {

// From _PG_init. Started by the postmaster before any session, restarted whenever it ends.
void register_sealer();

}  // namespace hoopguard::workers
