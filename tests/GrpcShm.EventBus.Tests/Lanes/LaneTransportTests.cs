using System.Buffers;
using System.IO.Pipelines;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>What each transport of lanes promises.</summary>
public abstract class LaneTransportTests : IAsyncLifetime
{
    private EventLaneListener? _listener;

    private protected abstract EventLaneTransport Transport { get; }

    public async ValueTask InitializeAsync() => _listener = await Transport.ListenAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _listener!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task ConnectAsync_BothSidesWrite_EachReadsTheOther()
    {
        var (near, far) = await ConnectAsync();
        await near.Output.WriteAsync(new byte[] { 1, 2, 3 });
        await far.Output.WriteAsync(new byte[] { 4 });

        Assert.Equal([1, 2, 3], await ReadAsync(far.Input, 3));
        Assert.Equal([4], await ReadAsync(near.Input, 1));
        await near.DisposeAsync();
        await far.DisposeAsync();
    }

    [Fact]
    public async Task DisposeAsync_BytesWereFlushed_OtherSideReadsThemAndThenTheEnd()
    {
        var (near, far) = await ConnectAsync();
        await near.Output.WriteAsync(new byte[] { 7, 8 });
        await near.DisposeAsync();

        Assert.Equal([7, 8], await ReadAsync(far.Input, 2));
        Assert.True(await EndsAsync(far.Input));
        await far.DisposeAsync();
    }

    [Fact]
    public async Task DisposeAsync_ReadWaits_ItEnds()
    {
        var (near, far) = await ConnectAsync();
        var ending = EndsAsync(near.Input);
        await near.DisposeAsync();

        Assert.True(await ending.InTime());
        await far.DisposeAsync();
    }

    [Fact]
    public async Task WriteAsync_MoreThanTheOtherSideTakesAtOnce_ArrivesWhole()
    {
        var (near, far) = await ConnectAsync();
        var sent = new byte[3_000_000];
        new Random(7).NextBytes(sent);
        var writing = near.Output.WriteAsync(sent).AsTask();

        Assert.Equal(sent, await ReadAsync(far.Input, sent.Length));
        await writing.InTime();
        await near.DisposeAsync();
        await far.DisposeAsync();
    }

    [Fact]
    public async Task ReadAsync_EndsWithoutBytes_AndReadsOnAfterwards()
    {
        var (near, far) = await ConnectAsync();
        using var giveUp = new CancellationTokenSource();
        var cancelled = far.Input.ReadAsync(giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.InTime());

        var woken = far.Input.ReadAsync().AsTask();
        far.Input.CancelPendingRead();
        var result = await woken.InTime();
        Assert.True(result.IsCanceled);
        far.Input.AdvanceTo(result.Buffer.Start);

        await near.Output.WriteAsync(new byte[] { 9 });
        Assert.Equal([9], await ReadAsync(far.Input, 1));
        await near.DisposeAsync();
        await far.DisposeAsync();
    }

    [Fact]
    public async Task ReadAsync_CodeBehindItBlocks_OtherConnectionsGoOn()
    {
        var (near, far) = await ConnectAsync();
        var (otherNear, otherFar) = await ConnectAsync();
        var blocks = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var goOn = new ManualResetEventSlim();

        // No time of warming up: each of the first reads goes on behind the other one's.
        for (var i = 0; i < 3; i++)
        {
            var blocked = BlockBehindAsync(far.Input);
            var reading = ReadAsync(otherFar.Input, 1);
            await near.Output.WriteAsync(new byte[] { 1 });
            await blocks.Task.InTime();
            await otherNear.Output.WriteAsync(new byte[] { 2 });

            Assert.Equal([2], await reading);
            goOn.Set();
            await blocked.InTime();
            goOn.Reset();
            blocks = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await near.DisposeAsync();
        await far.DisposeAsync();
        await otherNear.DisposeAsync();
        await otherFar.DisposeAsync();

        async Task BlockBehindAsync(PipeReader reader)
        {
            // The continuation runs where the transport lets it run.
            var result = await reader.ReadAsync().ConfigureAwait(false);
            reader.AdvanceTo(result.Buffer.End);
            blocks.SetResult();
            Assert.True(goOn.Wait(TimeLimit.Value));
        }
    }

    [Fact]
    public async Task ConnectAsync_NobodyListensThere_Throws()
    {
        var address = _listener!.Address;
        await _listener.DisposeAsync();

        await Assert.ThrowsAnyAsync<IOException>(async () =>
            await Transport.ConnectAsync(address, CancellationToken.None));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
            await Transport.ConnectAsync("/../no address", CancellationToken.None));
    }

    [Fact]
    public async Task AcceptAsync_ListenerEnds_HasNoConnection()
    {
        var accepting = _listener!.AcceptAsync(CancellationToken.None).AsTask();
        await _listener.DisposeAsync();

        Assert.Null(await accepting.InTime());
    }

    [Fact]
    public async Task ListenAsync_Twice_HasTwoAddresses()
    {
        await using var second = await Transport.ListenAsync(CancellationToken.None);

        Assert.NotEqual(_listener!.Address, second.Address);
    }

    private static async Task<byte[]> ReadAsync(PipeReader reader, int count)
    {
        var result = await reader.ReadAtLeastAsync(count).AsTask().InTime();
        var bytes = result.Buffer.Slice(0, count).ToArray();
        reader.AdvanceTo(result.Buffer.GetPosition(count));
        return bytes;
    }

    // A reader whose own side was closed may fail, and one whose other side was closed has nothing more to read.
    private static async Task<bool> EndsAsync(PipeReader reader)
    {
        try
        {
            var result = await reader.ReadAsync().AsTask().InTime();
            return result.Buffer.IsEmpty && (result.IsCompleted || result.IsCanceled);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            return true;
        }
    }

    private async Task<(EventLaneConnection Near, EventLaneConnection Far)> ConnectAsync()
    {
        var accepting = _listener!.AcceptAsync(CancellationToken.None).AsTask();
        var near = await Transport.ConnectAsync(_listener.Address, CancellationToken.None).AsTask().InTime();
        return (near, (await accepting.InTime())!);
    }
}
