using System.Globalization;
using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;

namespace GrpcShm.TestHost.Faults;

/// <summary>
/// The system's own make of the platform. On demand it lacks a resource, and fails with the kernel's error for this.
/// </summary>
internal sealed class FaultyPlatform : TransportPlatform
{
    private readonly TransportPlatform _inner;
    private readonly FaultSwitch _switch = new();

    private FaultyPlatform(TransportPlatform inner) => _inner = inner;

    public override PeerIdentity CurrentUser => _inner.CurrentUser;

    public override string PrivilegedUsers => _inner.PrivilegedUsers;

    public override string? FindUserName(PeerIdentity user) => _inner.FindUserName(user);

    /// <summary>Wraps this process's platform. This must be done before the first connection.</summary>
    public static FaultyPlatform Install()
    {
        var platform = new FaultyPlatform(Current);
        Current = platform;
        return platform;
    }

    /// <summary>Makes a step fail from now on.</summary>
    /// <param name="command">One of <see cref="FaultSwitch.Steps"/> and the number of an error; or <c>none</c>.</param>
    public void Fail(string command)
    {
        if (command == "none")
        {
            _switch.Set(null, 0);
            return;
        }

        var parts = command.Split(' ');
        _switch.Set(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings) =>
        new FaultyRendezvousSocket(_inner.Listen(endPoint, settings), _switch);

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence)
    {
        _switch.ThrowIf(FaultSwitch.Connect);
        return _inner.Connect(endPoint, directory, out absence) is { } socket
            ? new FaultyControlSocket(socket, _switch)
            : null;
    }

    public override SharedAllocation Allocate(long size)
    {
        _switch.ThrowIf(FaultSwitch.Allocate);
        return _inner.Allocate(size);
    }

    public override MappedMemory Open(SafeHandle grant, long size)
    {
        _switch.ThrowIf(FaultSwitch.Map);
        return _inner.Open(grant, size);
    }

    public override Doorbell CreateDoorbell()
    {
        _switch.ThrowIf(FaultSwitch.Doorbell);
        return _inner.CreateDoorbell();
    }

    public override Doorbell OpenDoorbell(SafeHandle grant) => _inner.OpenDoorbell(grant);

    public override Poller CreatePoller() => new FaultyPoller(_inner.CreatePoller(), _switch);

    public override ThreadWatch WatchThread() => _inner.WatchThread();
}
