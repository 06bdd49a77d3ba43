using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

/// <summary>
/// Another make, which often does what a system may do and rarely does: it says "nothing yet" although there is
/// something, gives data in small pieces, reports events that have not happened, and ends waits before their time.
/// </summary>
internal sealed class HesitantPlatform(TransportPlatform inner) : TransportPlatform
{
    public override PeerIdentity CurrentUser => inner.CurrentUser;

    public override string PrivilegedUsers => inner.PrivilegedUsers;

    public override string? FindUserName(PeerIdentity user) => inner.FindUserName(user);

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        new HesitantRendezvousSocket(inner.Listen(endPoint, settings));

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence) =>
        inner.Connect(endPoint, directory, out absence) is { } socket ? new HesitantControlSocket(socket) : null;

    public override SharedAllocation Allocate(long size) => inner.Allocate(size);

    public override MappedMemory Open(SafeHandle grant, long size) => inner.Open(grant, size);

    public override Doorbell CreateDoorbell() => inner.CreateDoorbell();

    public override Doorbell OpenDoorbell(SafeHandle grant) => inner.OpenDoorbell(grant);

    public override Poller CreatePoller() => new HesitantPoller(inner.CreatePoller());

    public override ThreadWatch WatchThread() => inner.WatchThread();
}
