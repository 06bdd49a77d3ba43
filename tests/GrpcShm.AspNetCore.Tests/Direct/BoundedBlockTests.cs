using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>
/// How much work a peer can cause by one block. Measured in allocated bytes, which show work that is not linear. The
/// test runs alone, since other work of the process would be counted, too.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class BoundedBlockTests
{
    // The headers of the request count with the trailers.
    private const int FieldsOfHeaders = 6;

    private const long MostBytes = 16 * 1024 * 1024;

    private static readonly byte[] SameName = [0x04, (byte)'a', 0x01, (byte)'b'];

    [Fact]
    public async Task Trailers_OfOneNameFillingABlock_CostWhatTheirBytesCost()
    {
        var count = new TaskCompletionSource<int>();
        await using var host = await DirectHost.StartAsync(
            async context =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                count.SetResult(context.Features.GetRequiredFeature<IHttpRequestTrailersFeature>().Trailers["a"].Count);
            },
            kestrel => kestrel.Limits.MaxRequestHeaderCount = 100_000);
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers, RawFrames.Fields(RawFrames.Request("/a.B/C"))));
        await TimeLimit.UntilAsync(() => host.Seen.Count == 1, () => "The handler does not start.");
        var block = Repeat(SameName, 16_000);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await client.PutBlockAsync(1, block, FrameFlags.Trailers, FrameFlags.End);
        Assert.Equal(16_000, await count.Task.InTime());

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, MostBytes);
        await client.VerifyServedAsync(2);
    }

    [Fact]
    public async Task Headers_OfOneNameFillingABlock_CostWhatTheirBytesCost()
    {
        await using var host = await DirectHost.StartAsync(
            static context =>
            {
                context.Response.StatusCode = context.Request.Headers["a"].Count == 15_900 ? 200 : 500;
                return Task.CompletedTask;
            },
            kestrel =>
            {
                kestrel.Limits.MaxRequestHeaderCount = 100_000;
                kestrel.Limits.MaxRequestHeadersTotalSize = 100_000;
            });
        using var client = await RawCalls.ConnectAsync(host);
        byte[] block = [.. RawFrames.Fields(RawFrames.Request("/a.B/C")), .. Repeat(SameName, 15_900)];
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await client.PutBlockAsync(1, block, FrameFlags.Headers, FrameFlags.End);
        Assert.Null(await client.EndOfAsync(1));

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, MostBytes);
        await client.VerifyServedAsync(2);
    }

    [Theory]
    [InlineData(100 - FieldsOfHeaders + 1, 1, (int)CallError.TooMuch)]
    [InlineData(100 - FieldsOfHeaders, 1, null)]
    [InlineData(2, 16_384, (int)CallError.TooMuch)]
    [InlineData(1, 32_000, null)]
    public async Task Trailers_BeyondKestrelsLimits_ResetTheCall(int count, int length, int? error)
    {
        await using var host = await DirectHost.StartAsync(
            static context => context.Request.Body.CopyToAsync(Stream.Null));
        using var client = await RawCalls.ConnectAsync(host);
        var block =
            Enumerable.Range(0, count).SelectMany(i => RawFrames.Fields(($"n{i}", new string('v', length)))).ToArray();
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers, RawFrames.Fields(RawFrames.Request("/a.B/C"))));
        await client.PutBlockAsync(1, block, FrameFlags.Trailers, FrameFlags.End);
        Assert.Equal((CallError?)error, await client.EndOfAsync(1));
        await client.VerifyServedAsync(2);
    }

    [Fact]
    public async Task Block_OfReferencesToALongPair_CountsWhatItMeans()
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(RawFrames.Message(
            1,
            FrameFlags.Headers | FrameFlags.End,
            [
                .. RawFrames.Fields(RawFrames.Request("/a.B/C")),
                .. RawFrames.Definition(20, "user-agent", new string('u', 1024)),
            ]));
        Assert.Null(await client.EndOfAsync(1));

        // 150 bytes in the block refer to 77 KB of values.
        await client.PutAsync(RawFrames.Message(
            2,
            FrameFlags.Headers | FrameFlags.End,
            [.. RawFrames.Fields(RawFrames.Request("/a.B/C")), .. Repeat(RawFrames.Reference(20), 75)]));
        Assert.Equal(CallError.TooMuch, await client.EndOfAsync(2));
        await client.VerifyServedAsync(3);
    }

    [Fact]
    public async Task RefusedBlock_FullOfFields_IsPassedOverWithoutMakingAnyOfThem()
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        using var client = await RawCalls.ConnectAsync(host);
        byte[] block = [.. RawFrames.Fields((":method", "GET")), .. Repeat(SameName, 15_000)];
        await client.VerifyServedAsync(1);

        // A string for each name would take 32 bytes, and a string for each value as much. The waits of this and other
        // threads also allocate, the more the longer they take. So one attempt of several has to show it.
        const long Limit = 15_000 * 32;
        var least = long.MaxValue;
        for (var call = 2u; call < 12 && least > Limit; call++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await client.PutBlockAsync(call, block, FrameFlags.Headers, FrameFlags.End);
            Assert.Equal(CallError.Protocol, await client.EndOfAsync(call));
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.InRange(least, 0, Limit);
        Assert.Single(host.Seen);
    }

    private static byte[] Repeat(byte[] bytes, int times) => [.. Enumerable.Range(0, times).SelectMany(_ => bytes)];
}
