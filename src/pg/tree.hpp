// Walking and copying PostgreSQL's trees from C++. Both may raise, and nothing with a destructor may be alive in
// the callbacks: call them inside pg::call.
#pragma once

#include "pg/compat.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
}

namespace hoopguard::pg {

// A deep copy in the current memory context; copyObject is a macro that C++ cannot read.
template <class Tree>
Tree* copy_tree(const Tree* tree) {
    return static_cast<Tree*>(copyObjectImpl(tree));
}

// Any node as the base type that PostgreSQL's functions pass around.
template <class Tree>
Node* as_node(const Tree* tree) {
    return reinterpret_cast<Node*>(const_cast<Tree*>(tree));
}

// Nothing stands below it and it calls nothing: most nodes of an expression.
inline bool is_leaf(const Node* node) noexcept {
    return IsA(node, Var) || IsA(node, Const) || IsA(node, Param);
}

// Returns true to end the walk; calls walk_expression (or walk_query) for what stands below.
using Walker = bool (*)(Node* node, void* context);
// Returns the node's replacement; calls mutate_expression (or mutate_query) for what stands below.
using Mutator = Node* (*)(Node* node, void* context);

#if defined(HOOPGUARD_TYPED_TREE_CALLBACKS)
inline bool walk_expression(Node* node, Walker walker, void* context) {
    return expression_tree_walker(node, walker, context);
}
inline bool walk_query(Query* query, Walker walker, void* context, int flags) {
    return query_tree_walker(query, walker, context, flags);
}
inline bool walk_raw(Node* node, Walker walker, void* context) {
    return raw_expression_tree_walker(node, walker, context);
}
inline Node* mutate_expression(Node* node, Mutator mutator, void* context) {
    return expression_tree_mutator(node, mutator, context);
}
inline Query* mutate_query(Query* query, Mutator mutator, void* context, int flags) {
    return query_tree_mutator(query, mutator, context, flags);
}
#else
// A cast by way of void (*)() is what the compiler takes for meant.
using AnyFunction = void (*)();
inline auto untyped(Walker walker) {
    return reinterpret_cast<bool (*)()>(reinterpret_cast<AnyFunction>(walker));
}
inline auto untyped(Mutator mutator) {
    return reinterpret_cast<Node* (*)()>(reinterpret_cast<AnyFunction>(mutator));
}
inline bool walk_expression(Node* node, Walker walker, void* context) {
    return expression_tree_walker(node, untyped(walker), context);
}
inline bool walk_query(Query* query, Walker walker, void* context, int flags) {
    return query_tree_walker(query, untyped(walker), context, flags);
}
inline bool walk_raw(Node* node, Walker walker, void* context) {
    return raw_expression_tree_walker(node, untyped(walker), context);
}
inline Node* mutate_expression(Node* node, Mutator mutator, void* context) {
    return expression_tree_mutator(node, untyped(mutator), context);
}
inline Query* mutate_query(Query* query, Mutator mutator, void* context, int flags) {
    return query_tree_mutator(query, untyped(mutator), context, flags);
}
#endif

}  // namespace hoopguard::pg
