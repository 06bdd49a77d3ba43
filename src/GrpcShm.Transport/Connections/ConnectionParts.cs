using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>The result of a handshake. The connection owns all parts.</summary>
/// <param name="Role">Which end this process is.</param>
/// <param name="Control">The control socket's channel.</param>
/// <param name="Segment">The shared memory, with one lease.</param>
/// <param name="OwnDoorbell">The doorbell that the peer rings.</param>
/// <param name="PeerDoorbell">The doorbell that wakes the peer.</param>
/// <param name="Reactor">The reactor that watches the connection.</param>
internal sealed record ConnectionParts(
    ConnectionRole Role,
    ControlChannel Control,
    SharedSegment Segment,
    Doorbell OwnDoorbell,
    Doorbell PeerDoorbell,
    Reactor Reactor)
{
    /// <summary>The protocol in the rings.</summary>
    public ConnectionModes Mode { get; init; } = ConnectionModes.Bytes;

    /// <summary>The features that both sides have agreed on.</summary>
    public ConnectionFeatures Features { get; init; }

    /// <summary>The most calls at once, in direct mode.</summary>
    public int MaxCalls { get; init; }

    /// <summary>
    /// Gives back the parts of a connection that has not been made, except for the channel.
    /// </summary>
    public void Release()
    {
        Segment.Release();
        OwnDoorbell.Dispose();
        PeerDoorbell.Dispose();
    }
}
