using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The memory that two processes share for one connection: a header and two rings. It is unmapped when the last lease
/// on it is given back, so that nobody can touch memory that is gone.
/// </summary>
/// <remarks>
/// Leases are held by the connection's owner, by each of its two directions until that is sealed, and by the reactor
/// while it serves the connection. If somebody forgets one, the mapping goes with the garbage collection.
/// </remarks>
internal sealed unsafe class SharedSegment
{
    public const uint Version = 1;

    private readonly MappedMemory _memory;
    private readonly int _clientToServerSize;
    private readonly int _serverToClientSize;
    private Action? _onUnmap;
    private int _leases = 1;

    private SharedSegment(MappedMemory memory, int clientToServerSize, int serverToClientSize)
    {
        _memory = memory;
        _clientToServerSize = clientToServerSize;
        _serverToClientSize = serverToClientSize;
    }

    /// <summary>Lays out fresh memory. The server does this.</summary>
    public static SharedSegment Create(MappedMemory memory, int clientToServerSize, int serverToClientSize)
    {
        *(SegmentHeader*)memory.Pointer = new SegmentHeader
        {
            Magic = SegmentLayout.Magic,
            Version = Version,
            TotalSize = SegmentLayout.TotalSize(clientToServerSize, serverToClientSize),
            ClientToServerSize = (uint)clientToServerSize,
            ServerToClientSize = (uint)serverToClientSize,
        };
        return new SharedSegment(memory, clientToServerSize, serverToClientSize);
    }

    /// <summary>Checks memory that the server has laid out. The client does this.</summary>
    /// <exception cref="SharedMemoryProtocolException">The header is not what the handshake said.</exception>
    public static SharedSegment Open(MappedMemory memory, int clientToServerSize, int serverToClientSize)
    {
        var header = *(SegmentHeader*)memory.Pointer;
        if (header.Magic != SegmentLayout.Magic
            || header.Version != Version
            || header.TotalSize != SegmentLayout.TotalSize(clientToServerSize, serverToClientSize)
            || header.ClientToServerSize != clientToServerSize
            || header.ServerToClientSize != serverToClientSize)
        {
            throw new SharedMemoryProtocolException(
                $"The segment's header does not agree with the handshake: magic 0x{header.Magic:X8}, version "
                + $"{header.Version}, {header.TotalSize} bytes, rings of {header.ClientToServerSize} and "
                + $"{header.ServerToClientSize} bytes.");
        }

        return new SharedSegment(memory, clientToServerSize, serverToClientSize);
    }

    public RingProducer CreateProducer(ConnectionRole role) =>
        role == ConnectionRole.Client
            ? new RingProducer(ClientToServer, ClientToServerData, _clientToServerSize)
            : new RingProducer(ServerToClient, ServerToClientData, _serverToClientSize);

    /// <summary>The same end for many threads. A ring has the one or the other.</summary>
    public ClaimingProducer CreateClaimingProducer(ConnectionRole role) =>
        role == ConnectionRole.Client
            ? new ClaimingProducer(ClientToServer, ClientToServerData, _clientToServerSize)
            : new ClaimingProducer(ServerToClient, ServerToClientData, _serverToClientSize);

    public RingConsumer CreateConsumer(ConnectionRole role) =>
        role == ConnectionRole.Server
            ? new RingConsumer(ClientToServer, ClientToServerData, _clientToServerSize)
            : new RingConsumer(ServerToClient, ServerToClientData, _serverToClientSize);

    /// <summary>The data of the ring that a side writes.</summary>
    public RingMemory OutboundMemory(ConnectionRole role) =>
        role == ConnectionRole.Client
            ? new RingMemory(this, ClientToServerData, _clientToServerSize)
            : new RingMemory(this, ServerToClientData, _serverToClientSize);

    /// <summary>The data of the ring that a side reads.</summary>
    public RingMemory InboundMemory(ConnectionRole role) =>
        OutboundMemory(role == ConnectionRole.Client ? ConnectionRole.Server : ConnectionRole.Client);

    /// <returns>Whether the memory is still there; then <see cref="Release"/> must follow.</returns>
    public bool TryLease()
    {
        var leases = Volatile.Read(ref _leases);
        while (leases > 0)
        {
            var seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
            {
                return true;
            }

            leases = seen;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _leases) == 0)
        {
            _memory.Dispose();
            FaultPoint.Reach(FaultStep.Unmapped);
            _onUnmap?.Invoke();
        }
    }

    /// <summary>
    /// Names what else goes with the last lease. To be called once, by the owner, before others have leases.
    /// </summary>
    public void OnUnmap(Action action) => _onUnmap = action;

    private RingControl* ClientToServer => (RingControl*)(_memory.Pointer + SegmentLayout.ClientToServerControl);

    private RingControl* ServerToClient => (RingControl*)(_memory.Pointer + SegmentLayout.ServerToClientControl);

    private byte* ClientToServerData => _memory.Pointer + SegmentLayout.ClientToServerData;

    private byte* ServerToClientData => _memory.Pointer + SegmentLayout.ServerToClientData(_clientToServerSize);
}
