using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>What a handshake has produced; the connection owns all of it.</summary>
/// <param name="Role">Which end this process is.</param>
/// <param name="Control">The control socket's channel.</param>
/// <param name="Segment">The shared memory, with one lease.</param>
/// <param name="OwnDoorbell">The one that the peer rings.</param>
/// <param name="PeerDoorbell">The one that wakes the peer.</param>
/// <param name="Reactor">The one that watches all of it.</param>
internal sealed record ConnectionParts(
    ConnectionRole Role,
    ControlChannel Control,
    SharedSegment Segment,
    Doorbell OwnDoorbell,
    Doorbell PeerDoorbell,
    Reactor Reactor)
{
    /// <summary>What flows through the rings.</summary>
    public ConnectionModes Mode { get; init; } = ConnectionModes.Bytes;

    /// <summary>What else was agreed on.</summary>
    public ConnectionFeatures Features { get; init; }

    /// <summary>The most calls at once, in direct mode.</summary>
    public int MaxCalls { get; init; }

    /// <summary>
    /// Gives back what a connection that did not come about would have owned, except for the channel.
    /// </summary>
    public void Release()
    {
        Segment.Release();
        OwnDoorbell.Dispose();
        PeerDoorbell.Dispose();
    }
}
