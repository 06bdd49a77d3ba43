namespace GrpcShm.FaultInjection.Survivors;

/// <summary>The fault that a <see cref="BrokenSurvivor"/> makes.</summary>
internal enum Breakage
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Its calls to a dead server do not end.</summary>
    Hang,

    /// <summary>Its calls to a dead server end with another status.</summary>
    Status,

    /// <summary>Each connection leaves a doorbell, memory and a thread behind.</summary>
    Leak,
}
