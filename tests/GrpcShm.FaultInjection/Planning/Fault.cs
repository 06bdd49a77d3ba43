using GrpcShm.Transport;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.FaultInjection.Planning;

/// <summary>One death.</summary>
/// <param name="Side">Who dies.</param>
/// <param name="Mode">What carries the calls.</param>
/// <param name="Kind">The kind of calls that are under way.</param>
/// <param name="Step">Where.</param>
/// <param name="Times">When it comes there for the so-manieth time.</param>
/// <param name="Death">How.</param>
internal sealed record Fault(Side Side, SharedMemoryMode Mode, string Kind, FaultStep Step, int Times, Death Death)
{
    /// <summary>Whether only a server that is told to stop comes to this step.</summary>
    public bool NeedsStop => Side == Side.Server
        && Step is FaultStep.NameRemoved or FaultStep.NameReleased or FaultStep.GoingAway or FaultStep.GoneAway
            or FaultStep.FarewellSent;

    /// <summary>
    /// Whether the server comes to this step only by ending what is under way, since that does not end by itself in the
    /// time that a stop has. Then how a call ends is not the doing of the death, and a race of Kestrel's.
    /// </summary>
    public bool NeedsImpatience => Side == Side.Server && Step == FaultStep.FarewellSent;

    public override string ToString() => $"{Side} {Mode} '{Kind}' {Step}#{Times} {Death}";
}
