using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Checks in debug builds that a lock is not held where the order of the locks forbids it: before foreign code runs,
/// and before what takes a lock that stands further outside. Elsewhere there is no call, and no cost.
/// </summary>
internal static class LockOrder
{
    /// <summary>Throws if this thread holds a lock.</summary>
    /// <param name="gate">The lock.</param>
    /// <param name="name">How the caller names it.</param>
    /// <exception cref="InvalidOperationException">It does.</exception>
    [Conditional("DEBUG")]
    public static void ThrowIfHeld(Lock gate, [CallerArgumentExpression(nameof(gate))] string name = "")
    {
        if (gate.IsHeldByCurrentThread)
        {
            throw new InvalidOperationException(
                $"The lock '{name}' is held where it must not be. Leave it first; the page on memory ordering has the order "
                + "of the locks.");
        }
    }
}
