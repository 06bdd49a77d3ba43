using GrpcShm.Transport;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.FaultInjection.Planning;

/// <summary>One death.</summary>
/// <param name="Side">The side that dies.</param>
/// <param name="Mode">The mode that carries the calls.</param>
/// <param name="Kind">The kind of calls that are under way.</param>
/// <param name="Step">The step at which the process dies.</param>
/// <param name="Times">The visit to the step at which the process dies: 1 for the first.</param>
/// <param name="Death">The way in which the process dies.</param>
internal sealed record Fault(Side Side, SharedMemoryMode Mode, string Kind, FaultStep Step, int Times, Death Death)
{
    /// <summary>True if only a stopping server comes to this step.</summary>
    public bool NeedsStop => Side == Side.Server
        && Step is FaultStep.NameRemoved or FaultStep.NameReleased or FaultStep.GoingAway or FaultStep.GoneAway
            or FaultStep.FarewellSent;

    /// <summary>
    /// True if the server comes to this step only when it ends open calls, which do not end by themselves in the time
    /// of a stop. The status of such a call then follows from a race in Kestrel, not from the death.
    /// </summary>
    public bool NeedsImpatience => Side == Side.Server && Step == FaultStep.FarewellSent;

    public override string ToString() => $"{Side} {Mode} '{Kind}' {Step}#{Times} {Death}";
}
