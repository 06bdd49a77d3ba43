using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The memory that two processes share for one connection: a header and two rings. The memory is unmapped when its last
/// lease is given back, so that no thread can touch unmapped memory.
/// </summary>
/// <remarks>
/// Leases are held by the connection's owner, by each of its two directions until that is sealed, and by the reactor
/// while it serves the connection. If a lease is forgotten, the garbage collection ends the mapping.
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

    /// <summary>Lays out fresh memory. By the server.</summary>
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

    /// <summary>Checks memory that the server has laid out. By the client.</summary>
    /// <exception cref="SharedMemoryProtocolException">The header differs from the handshake.</exception>
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

    /// <summary>Creates the same end for many threads. A ring has only one of the two producers.</summary>
    public ClaimingProducer CreateClaimingProducer(ConnectionRole role) =>
        role == ConnectionRole.Client
            ? new ClaimingProducer(ClientToServer, ClientToServerData, _clientToServerSize)
            : new ClaimingProducer(ServerToClient, ServerToClientData, _serverToClientSize);

    public RingConsumer CreateConsumer(ConnectionRole role) =>
        role == ConnectionRole.Server
            ? new RingConsumer(ClientToServer, ClientToServerData, _clientToServerSize)
            : new RingConsumer(ServerToClient, ServerToClientData, _serverToClientSize);

    /// <summary>The data of the ring to which a side writes.</summary>
    public RingMemory OutboundMemory(ConnectionRole role) =>
        role == ConnectionRole.Client
            ? new RingMemory(this, ClientToServerData, _clientToServerSize)
            : new RingMemory(this, ServerToClientData, _serverToClientSize);

    /// <summary>The data of the ring that a side reads.</summary>
    public RingMemory InboundMemory(ConnectionRole role) =>
        OutboundMemory(role == ConnectionRole.Client ? ConnectionRole.Server : ConnectionRole.Client);

    /// <returns>Whether the memory is still mapped; then <see cref="Release"/> must follow.</returns>
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
    /// Names an action to run with the end of the last lease. Called once, by the owner, before others have leases.
    /// </summary>
    public void OnUnmap(Action action) => _onUnmap = action;

    private RingControl* ClientToServer => (RingControl*)(_memory.Pointer + SegmentLayout.ClientToServerControl);

    private RingControl* ServerToClient => (RingControl*)(_memory.Pointer + SegmentLayout.ServerToClientControl);

    private byte* ClientToServerData => _memory.Pointer + SegmentLayout.ClientToServerData;

    private byte* ServerToClientData => _memory.Pointer + SegmentLayout.ServerToClientData(_clientToServerSize);
}
