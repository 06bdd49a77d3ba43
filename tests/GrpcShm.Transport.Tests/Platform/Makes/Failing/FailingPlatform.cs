using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Failing;

/// <summary>
/// Another make, in which any operation that takes a resource from the system may find none left.
/// </summary>
internal sealed class FailingPlatform(TransportPlatform inner, Shortage shortage) : TransportPlatform
{
    public override PeerIdentity CurrentUser => inner.CurrentUser;

    public override string PrivilegedUsers => inner.PrivilegedUsers;

    public override string? FindUserName(PeerIdentity user) => inner.FindUserName(user);

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        new FailingRendezvousSocket(inner.Listen(endPoint, settings), shortage);

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence)
    {
        shortage.Count(nameof(Connect));
        return inner.Connect(endPoint, directory, out absence) is { } socket
            ? new FailingControlSocket(socket, shortage)
            : null;
    }

    public override SharedAllocation Allocate(long size)
    {
        shortage.Count(nameof(Allocate));
        var allocation = inner.Allocate(size);
        return new SharedAllocation(shortage.Give(allocation.Mapping), shortage.Give(allocation.Grant));
    }

    public override MappedMemory Open(SafeHandle grant, long size)
    {
        shortage.Count(nameof(Open));
        return shortage.Give(inner.Open(grant, size));
    }

    public override Doorbell CreateDoorbell()
    {
        shortage.Count(nameof(CreateDoorbell));
        var bell = inner.CreateDoorbell();
        shortage.Give(bell.Grant);
        return bell;
    }

    public override Doorbell OpenDoorbell(SafeHandle grant)
    {
        shortage.Count(nameof(OpenDoorbell));
        return inner.OpenDoorbell(grant);
    }

    public override Poller CreatePoller() => new FailingPoller(inner.CreatePoller(), shortage);

    public override ThreadWatch WatchThread() => inner.WatchThread();
}
