using System.Buffers;
using GrpcShm.AspNetCore.Connections;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using Microsoft.AspNetCore.Connections;

namespace GrpcShm.AspNetCore.Tests.Connections;

public sealed class SharedMemoryConnectionContextTests : IAsyncLifetime
{
    private ConnectionPair _pair = null!;
    private SharedMemoryConnectionContext _context = null!;
    private RingStream _client = null!;

    private static CancellationToken None => CancellationToken.None;

    public async ValueTask InitializeAsync()
    {
        _pair = await ConnectionPair.CreateAsync();
        _context = new SharedMemoryConnectionContext(
            _pair.Server,
            new SharedMemoryTransportOptions(),
            NoApplication.Create(),
            MemoryPool<byte>.Shared,
            new SharedBudget(long.MaxValue));
        _client = new RingStream(_pair.Client, FileAccess.ReadWrite);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _context.DisposeAsync();
        await _pair.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transport_ReadDirectlyOrByCopies_GivesTheBytes(bool directly)
    {
        ReadDirectly(directly);
        Assert.Equal(directly, _context.Transport.Input is RingPipeReader);
        var write = _client.WritePatternAsync(0, 50_000);
        for (var position = 0L; position < 50_000;)
        {
            var result = await _context.Transport.Input.ReadAsync(None).InTime();
            Pattern.Verify(result.Buffer.ToArray(), position);
            position += result.Buffer.Length;
            _context.Transport.Input.AdvanceTo(result.Buffer.End);
        }

        await write;
    }

    [Fact]
    public async Task Transport_CopiedBytes_DoNotChangeWhenThePeerChangesItsMemory()
    {
        await _client.WritePatternAsync(0, 100);
        var result = await _context.Transport.Input.ReadAsync(None).InTime();
        _pair.Client.OutboundMemory.GetSpan().Fill(0xFF);
        Pattern.Verify(result.Buffer.ToArray(), 0);
        _context.Transport.Input.AdvanceTo(result.Buffer.End);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transport_InputIsCompletedFirst_OutputStillArrivesWithItsEnd(bool directly)
    {
        ReadDirectly(directly);
        var read = _client.ReadAsync(new byte[10], None).AsTask();
        await _context.Transport.Input.CompleteAsync();

        Pattern.Fill(_context.Transport.Output.GetSpan(10)[..10], 0);
        _context.Transport.Output.Advance(10);
        await _context.Transport.Output.FlushAsync(None).InTime();
        await _context.Transport.Output.CompleteAsync();

        Assert.Equal(10, await read.InTime());
        Assert.Equal(0, await _client.ReadAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Features_Connection_SayWhoTheClientIs()
    {
        var feature = _context.Features.Get<ISharedMemoryConnectionFeature>();
        Assert.Equal(_pair.Server.EndPoint, feature?.EndPoint);
        Assert.Equal(Environment.ProcessId, feature?.Peer.ProcessId);
        Assert.Same(feature?.EndPoint, _context.LocalEndPoint);
        Assert.NotNull(
            _context.Features.Get<Microsoft.AspNetCore.Connections.Features.IMemoryPoolFeature>()?.MemoryPool);
        Assert.NotEmpty(_context.ConnectionId);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Abort_WithAReason_EndsThePeerWithThatReason()
    {
        ReadDirectly(true);
        var own = _context.Transport.Input.ReadAsync(None).AsTask();
        var read = _client.ReadAsync(new byte[1], None).AsTask();
        _context.Abort(new ConnectionAbortedException("too slow"));
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => own.InTime());
        Assert.Equal("too slow", (await Assert.ThrowsAnyAsync<IOException>(() => read.InTime())).Message);
        Assert.True(_context.ConnectionClosed.CanBeCanceled);
        await TimeLimit.UntilAsync(
            () => _context.ConnectionClosed.IsCancellationRequested, () => "The closing was not told.");
    }

    [Fact]
    public async Task Read_PeerResets_IsAConnectionReset()
    {
        ReadDirectly(true);
        var read = _context.Transport.Input.ReadAsync(None).AsTask();
        _pair.Client.Abort(new CloseCause(GrpcShm.Transport.Handshake.CloseCode.Aborted, "reset", ByPeer: false));
        Assert.Equal("reset", (await Assert.ThrowsAsync<ConnectionResetException>(() => read.InTime())).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposeAsync_ReadIsPending_EndsItAndTheConnection(bool directly)
    {
        ReadDirectly(directly);
        var read = _context.Transport.Input.ReadAsync(None).AsTask();
        await _context.DisposeAsync();
        await _context.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => read.InTime());

        // Kestrel leaves it to the transport to complete the pipes, so the peer has got all that was written.
        Assert.Equal(0, await _client.ReadAsync(new byte[1], None).InTime());
    }

    private void ReadDirectly(bool directly)
    {
        if (directly)
        {
            // The innermost connection middleware does so before HTTP/2 runs.
            Assert.True(_context.RunProtocolAsync(static _ => Task.CompletedTask, _context).IsCompletedSuccessfully);
        }
    }
}
