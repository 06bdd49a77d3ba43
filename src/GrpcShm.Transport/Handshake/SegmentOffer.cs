using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// A segment that has been laid out, and two doorbells, which a server gives to a client. Never given to a second
/// client: a client that has been given the memory can write to it for ever.
/// </summary>
internal sealed class SegmentOffer : IDisposable
{
    private readonly SafeHandle _memory;
    private readonly SharedSegment _segment;
    private readonly Doorbell _server;
    private readonly Doorbell _client;
    private bool _isTaken;

    private SegmentOffer(SafeHandle memory, SharedSegment segment, Doorbell server, Doorbell client)
    {
        _memory = memory;
        _segment = segment;
        _server = server;
        _client = client;
    }

    /// <exception cref="IOException">The system lacks memory or handles.</exception>
    public static SegmentOffer Create(int clientToServerSize, int serverToClientSize)
    {
        var platform = TransportPlatform.Current;
        var allocation = platform.Allocate(SegmentLayout.TotalSize(clientToServerSize, serverToClientSize));
        var segment = SharedSegment.Create(allocation.Mapping, clientToServerSize, serverToClientSize);
        Doorbell? server = null;
        try
        {
            server = platform.CreateDoorbell();
            return new SegmentOffer(allocation.Grant, segment, server, platform.CreateDoorbell());
        }
        catch
        {
            server?.Dispose();
            segment.Release();
            allocation.Grant.Dispose();
            throw;
        }
    }

    /// <summary>Sends the answer to a client, together with the handles of the memory and the doorbells.</summary>
    public void Send(ControlChannel channel, ServerHello answer) =>
        channel.Send(answer.Write(), _memory, _server.Grant, _client.Grant);

    /// <summary>Takes out the parts that a connection owns.</summary>
    public (SharedSegment Segment, Doorbell Own, Doorbell Peer) Take()
    {
        _isTaken = true;
        return (_segment, _server, _client);
    }

    /// <summary>Gives back the parts that have not been taken.</summary>
    public void Dispose()
    {
        // The mapping needs no handle any more.
        _memory.Dispose();
        if (!_isTaken)
        {
            _segment.Release();
            _server.Dispose();
            _client.Dispose();
        }
    }
}
