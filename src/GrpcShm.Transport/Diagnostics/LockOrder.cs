using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Checks in debug builds that a thread does not hold a lock if the order of the locks forbids it: before foreign code
/// runs, and before a lock is taken that stands further outside. In other builds there is no call, and no cost.
/// </summary>
internal static class LockOrder
{
    /// <summary>Throws if this thread holds a lock.</summary>
    /// <param name="gate">The lock.</param>
    /// <param name="name">The caller's name for the lock.</param>
    /// <exception cref="InvalidOperationException">The thread holds the lock.</exception>
    [Conditional("DEBUG")]
    public static void ThrowIfHeld(Lock gate, [CallerArgumentExpression(nameof(gate))] string name = "")
    {
        if (gate.IsHeldByCurrentThread)
        {
            throw new InvalidOperationException(
                $"The lock '{name}' is held where it must not be. Leave it first; the page on memory ordering has the "
                + "order of the locks.");
        }
    }
}
