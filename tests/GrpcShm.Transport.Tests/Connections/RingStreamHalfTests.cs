using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Connections;

/// <summary>A stream over one direction, as a copying <c>PipeReader</c> uses it.</summary>
public sealed class RingStreamHalfTests
{
    [Fact]
    public async Task Dispose_WritingHalf_EndsOnlyThatDirection()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        var writing = new RingStream(pair.Client, FileAccess.Write);
        await using var reading = new RingStream(pair.Client, FileAccess.Read);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        await writing.WritePatternAsync(0, 10);

        await writing.DisposeAsync();

        await server.ReadPatternAsync(0, 10);
        Assert.Equal(0, await server.ReadAsync(new byte[1], TestContext.Current.CancellationToken).InTime());
        await server.WritePatternAsync(0, 10);
        await reading.ReadPatternAsync(0, 10);
    }

    [Fact]
    public async Task Dispose_ReadingHalf_LeavesTheWriterToFinish()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        var reading = new RingStream(pair.Client, FileAccess.Read);
        var writing = new RingPipeWriter(pair.Client);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);

        var read = server.ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask();

        await reading.DisposeAsync();

        Pattern.Fill(writing.GetSpan(10)[..10], 0);
        writing.Advance(10);
        await writing.FlushAsync(TestContext.Current.CancellationToken).InTime();
        await writing.CompleteAsync();
        Assert.Equal(10, await read.InTime());
        Assert.Equal(0, await server.ReadAsync(new byte[1], TestContext.Current.CancellationToken).InTime());
        await Assert.ThrowsAnyAsync<IOException>(() => server.WritePatternAsync(0, 10));
    }

    [Fact]
    public async Task Dispose_WritingHalfWhileThePeersReactorLooksByItself_IsFoundWithoutADoorbell()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        var writing = new RingStream(pair.Client, FileAccess.Write);
        await using var reading = new RingStream(pair.Client, FileAccess.Read);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        var read = server.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();
        Assert.True(pair.Server.BeginSpin());
        var rung = pair.Client.Counters.DataDoorbells;

        await writing.DisposeAsync();

        // The end alone, since nothing was written: no tail moves, and a reader that looks by itself is not rung.
        Assert.Equal(rung, pair.Client.Counters.DataDoorbells);
        Assert.True(pair.Server.EndSpin());
        pair.Server.OnReady(ProcessReactors.Next());
        Assert.Equal(0, await read.InTime());
    }

    [Fact]
    public async Task Write_ReactorHasFoundBytesByItself_NeedsNoDoorbellUntilTheReactorLooksAgain()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        var read = server.ReadPatternAsync(0, 20);
        await TimeLimit.UntilAsync(() => pair.Server.BeginSpin(), () => "The read does not wait.");
        var rung = pair.Client.Counters.DataDoorbells;
        await client.WritePatternAsync(0, 10);

        Assert.True(pair.Server.EndSpin());
        await client.WritePatternAsync(10, 10);

        Assert.Equal(rung, pair.Client.Counters.DataDoorbells);
        pair.Server.OnReady(ProcessReactors.Next());
        await read.InTime();
    }

    [Fact]
    public async Task Write_ReactorHasFoundNothingByItself_RingsTheDoorbell()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        var read = server.ReadPatternAsync(0, 10);
        await TimeLimit.UntilAsync(() => pair.Server.BeginSpin(), () => "The read does not wait.");
        var rung = pair.Client.Counters.DataDoorbells;

        Assert.False(pair.Server.EndSpin());
        await client.WritePatternAsync(0, 10);

        Assert.Equal(rung + 1, pair.Client.Counters.DataDoorbells);
        await read.InTime();
    }
}
