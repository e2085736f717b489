// The notary: the half of the sealer that may wait for disks and commands. A background worker without a database
// that makes the journal durable, signs checkpoints, hands them out, and prepares the next segment's file.
#pragma once

namespace hoopguard::workers {

// From _PG_init. Runs as long as the sealer does.
void register_notary();

}  // namespace hoopguard::workers
