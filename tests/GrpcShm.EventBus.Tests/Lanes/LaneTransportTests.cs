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
