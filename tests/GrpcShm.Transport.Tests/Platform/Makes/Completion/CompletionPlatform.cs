using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>
/// A make on completion: sockets are named pipes with a read that is always under way, whose peer is in the same
/// process. Handles travel as numbers in the bytes. Its memory is the system's own, since sharing memory does not
/// depend on readiness or completion.
/// </summary>
internal sealed class CompletionPlatform : TransportPlatform
{
    private readonly LinuxPlatform _system = new();
    private readonly Dictionary<(string Name, string? Directory), CompletionRendezvousSocket> _names = [];

    public override PeerIdentity CurrentUser => _system.CurrentUser;

    public override string PrivilegedUsers => _system.PrivilegedUsers;

    public override string? FindUserName(PeerIdentity user) => _system.FindUserName(user);

    public override RendezvousSocket Listen(SharedMemoryEndPoint endPoint, RendezvousSettings settings)
    {
        var name = (endPoint.Name, settings.Directory);
        lock (_names)
        {
            if (_names.ContainsKey(name))
            {
                throw new EndPointInUseException($"The endpoint '{endPoint}' is in use.");
            }

            return _names[name] = new CompletionRendezvousSocket(Peer(), () => GiveBack(name));
        }
    }

    public override ControlSocket? Connect(
        SharedMemoryEndPoint endPoint, string? directory, out ServerAbsence? absence)
    {
        lock (_names)
        {
            var connected = _names.TryGetValue((endPoint.Name, directory), out var socket) ? socket.Connect() : null;
            absence = connected is null ? new NoPipe(endPoint) : null;
            return connected;
        }
    }

    public override SharedAllocation Allocate(long size)
    {
        var allocation = _system.Allocate(size);
        return allocation with { Grant = HandleTable.Add(allocation.Grant) };
    }

    public override MappedMemory Open(SafeHandle grant, long size) =>
        HandleTable.Find((CompletionHandle)grant) is SafeHandle memory
            ? _system.Open(memory, size)
            : throw new SharedMemoryProtocolException("The memory that the server offers is none.");

    public override Doorbell CreateDoorbell()
    {
        var bell = new CompletionDoorbell.Bell();
        return new CompletionDoorbell(HandleTable.Add(bell), bell);
    }

    public override Doorbell OpenDoorbell(SafeHandle grant) =>
        HandleTable.Find((CompletionHandle)grant) is CompletionDoorbell.Bell bell
            ? new CompletionDoorbell((CompletionHandle)grant, bell)
            : throw new SharedMemoryProtocolException("The doorbell that the server offers is none.");

    public override Poller CreatePoller() => new CompletionPoller();

    public override ThreadWatch WatchThread() => _system.WatchThread();

    private SharedMemoryPeer Peer() => new(Environment.ProcessId, CurrentUser, null);

    private void GiveBack((string Name, string? Directory) name)
    {
        lock (_names)
        {
            _names.Remove(name);
        }
    }

    private sealed class NoPipe(SharedMemoryEndPoint endPoint) : ServerAbsence
    {
        public override string Describe() => $"this process has no pipe '{endPoint.Name}'.";
    }
}
