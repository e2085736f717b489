// Sessions of locked actors, on this node.
#pragma once

namespace hoopguard::workers {

// Ends them as pg_terminate_backend() does. Called by the broker whenever it has looked at the policy; on a
// standby too, whose broker follows what is replayed. Cheap while nobody is locked. A failure is logged, and the
// next round tries again.
void end_locked_sessions();

}  // namespace hoopguard::workers
