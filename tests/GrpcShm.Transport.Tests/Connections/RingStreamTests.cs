using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class RingStreamTests : IAsyncLifetime
{
    private ConnectionPair _pair = null!;
    private RingStream _client = null!;
    private RingStream _server = null!;

    private static CancellationToken None => CancellationToken.None;

    public async ValueTask InitializeAsync()
    {
        _pair = await ConnectionPair.CreateAsync();
        _client = new RingStream(_pair.Client, FileAccess.ReadWrite);
        _server = new RingStream(_pair.Server, FileAccess.ReadWrite);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        await _pair.DisposeAsync();
    }

    [Fact]
    public async Task Read_Zero_WaitsAndConsumesNothing()
    {
        var read = _server.ReadAsync(Memory<byte>.Empty, None).AsTask();
        Assert.False(read.IsCompleted);
        await _client.WritePatternAsync(0, 3);
        Assert.Equal(0, await read.InTime());
        await _server.ReadPatternAsync(0, 3);
    }

    [Fact]
    public async Task ReadAndWrite_Synchronous_Work()
    {
        await TimeLimit.OnThreads(
            () => _client.Write(Pattern.Take(0, 20_000), 0, 20_000),
            () =>
            {
                var bytes = new byte[20_000];
                _server.ReadExactly(bytes);
                Pattern.Verify(bytes, 0);
            });
    }

    [Fact]
    public async Task Write_FarLargerThanTheRing_WaitsForTheReader()
    {
        var write = _client.WriteAsync(Pattern.Take(0, 1_000_000), None).AsTask();
        Assert.False(write.IsCompleted);
        await _server.ReadPatternAsync(0, 1_000_000);
        await write.InTime();
    }

    [Fact]
    public async Task Dispose_ReadIsPending_EndsIt()
    {
        var read = _client.ReadAsync(new byte[1], None).AsTask();
        await _client.DisposeAsync();
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => read.InTime());
    }

    [Fact]
    public async Task Dispose_WriteIsPending_EndsIt()
    {
        var write = _client.WriteAsync(new byte[100_000], None).AsTask();
        await _client.DisposeAsync();
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => write.InTime());
    }

    [Fact]
    public async Task ReadAndWrite_AfterDispose_Throw()
    {
        await _client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.ReadAsync(new byte[1], None).InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.WriteAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Dispose_WhatWasWrittenBefore_IsStillReadAndThenTheEnd()
    {
        await _client.WritePatternAsync(0, 4096);
        await _client.DisposeAsync();

        await TimeLimit.UntilAsync(() => _pair.Server.PeerIsGone, () => "The peer's end was not noticed.");
        await _server.ReadPatternAsync(0, 4096);
        Assert.Equal(0, await _server.ReadAsync(new byte[1], None).InTime());
        Assert.Equal(0, await _server.ReadAsync(Memory<byte>.Empty, None).InTime());
        Assert.Equal(0, await _server.ReadAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Dispose_PeerReadIsPending_GetsTheEnd()
    {
        var read = _server.ReadAsync(new byte[1], None).AsTask();
        await _client.DisposeAsync();
        Assert.Equal(0, await read.InTime());
    }

    [Fact]
    public async Task Dispose_PeerWriteIsPending_FailsWithTheReason()
    {
        var write = _server.WriteAsync(new byte[100_000], None).AsTask();
        await _client.DisposeAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => write.InTime());
        await Assert.ThrowsAnyAsync<IOException>(() => _server.WriteAsync(new byte[1], None).InTime());
    }

    [Fact]
    public async Task Read_CancelledWhilePending_EndsAndLosesNothing()
    {
        using var source = new CancellationTokenSource();
        var read = _server.ReadAsync(new byte[10], source.Token).AsTask();
        await source.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTime());
        Assert.Equal(source.Token, cancelled.CancellationToken);

        await _client.WritePatternAsync(0, 10);
        await _server.ReadPatternAsync(0, 10);
    }

    [Fact]
    public async Task Write_CancelledWhilePending_EndsAndLeavesAPartWritten()
    {
        using var source = new CancellationTokenSource();
        var write = _client.WriteAsync(Pattern.Take(0, 10_000), source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.InTime());

        await _server.ReadPatternAsync(0, 4096);
        await _client.WritePatternAsync(4096, 10);
        await _server.ReadPatternAsync(4096, 10);
    }

    [Fact]
    public async Task ReadAndWrite_TokenIsCancelledAlready_DoNothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _client.WriteAsync(new byte[1], cancelled).InTime());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _server.ReadAsync(new byte[1], cancelled).InTime());
        await StreamBytes.EchoAsync(_client, _server);
    }

    [Fact]
    public async Task Read_CancelledOverAndOver_RacesWithBytesAndLosesNone()
    {
        const int Total = 3_000;
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Total; i++)
                {
                    await _client.WritePatternAsync(i, 1);
                }
            },
            None);

        var buffer = new byte[16];
        for (var position = 0; position < Total;)
        {
            using var source = new CancellationTokenSource();
            var read = _server.ReadAsync(buffer, source.Token).AsTask();
            var cancelling = Task.Run(source.Cancel, None);
            try
            {
                var count = await read.InTime();
                Pattern.Verify(buffer.AsSpan(0, count), position);
                position += count;
            }
            catch (OperationCanceledException)
            {
                // Try again.
            }

            await cancelling.InTime();
        }

        await writing.InTime();
    }

    [Fact]
    public async Task Read_SecondAtTheSameTime_IsRefusedAndTheFirstGoesOn()
    {
        var read = _server.ReadAsync(new byte[1], None).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _server.ReadAsync(new byte[1], None).InTime());
        await _client.WritePatternAsync(0, 1);
        Assert.Equal(1, await read.InTime());
    }

    [Fact]
    public async Task Write_SecondAtTheSameTime_IsRefusedAndTheFirstGoesOn()
    {
        var write = _client.WriteAsync(Pattern.Take(0, 10_000), None).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _client.WriteAsync(new byte[1], None).InTime());
        await _server.ReadPatternAsync(0, 10_000);
        await write.InTime();
    }

    [Fact]
    public async Task Dispose_AtAnyMomentOfALivelyExchange_EndsBothSides()
    {
        var running = Task.WhenAll(PumpAsync(_client), DrainAsync(_client), PumpAsync(_server), DrainAsync(_server));
        await TimeLimit.UntilAsync(() => _pair.Server.Counters.BytesReceived > 50_000, () => "Nothing moves.");
        await _client.DisposeAsync();
        await running.InTime();
    }

    [Fact]
    public async Task Members_OfAStreamThatCannotSeek_SaySo()
    {
        Assert.True(_client.CanRead && _client.CanWrite && !_client.CanSeek);
        Assert.Throws<NotSupportedException>(() => _client.Length);
        Assert.Throws<NotSupportedException>(() => _client.Position);
        Assert.Throws<NotSupportedException>(() => _client.Position = 1);
        Assert.Throws<NotSupportedException>(() => _client.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => _client.SetLength(1));
        await _client.FlushAsync(None).InTime();
    }

    private static async Task PumpAsync(RingStream stream)
    {
        await Task.Yield();
        var bytes = new byte[3_000];
        await UntilItEndsAsync(async () => await stream.WriteAsync(bytes, None));
    }

    private static async Task DrainAsync(RingStream stream)
    {
        await Task.Yield();
        var bytes = new byte[3_000];
        await UntilItEndsAsync(async () =>
        {
            if (await stream.ReadAsync(bytes, None) == 0)
            {
                throw new EndOfStreamException();
            }
        });
    }

    private static async Task UntilItEndsAsync(Func<Task> action)
    {
        try
        {
            while (true)
            {
                await action();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The test waits for this end; any other exception is a bug.
        }
    }
}
