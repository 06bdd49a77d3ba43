namespace GrpcShm.FaultInjection.Planning;

/// <summary>How a process dies.</summary>
internal enum Death
{
    /// <summary>At once, at the step.</summary>
    Killed,

    /// <summary>It stands still at the step, and is killed later.</summary>
    FrozenThenKilled,

    /// <summary>It stands still at the step, goes on, and is killed at some moment after that.</summary>
    FrozenThenThawed,
}
