using System.Diagnostics;
using GrpcShm.AspNetCore.Tests.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Tests.Diagnostics;

/// <summary>A client that sends the same wrong request over and over.</summary>
public sealed class FloodedLogTests
{
    private const int Times = 60;

    [Fact]
    public async Task Requests_ThatAreRefusedOverAndOver_HaveSomeShortLinesAndASum()
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        var started = Stopwatch.GetTimestamp();
        using (var client = await RawCalls.ConnectAsync(host))
        {
            byte[] block = RawFrames.Fields(RawFrames.Request("/a/\e[31m\a\r\u2028\u202e" + new string('b', 1000)));
            for (var i = 0u; i < Times; i++)
            {
                await client.PutAsync(RawFrames.Message(i, FrameFlags.Headers | FrameFlags.End, block));
                Assert.Equal(CallError.Protocol, await client.EndOfAsync(i));
            }
        }

        await RepeatedLog.VerifyAsync(host.Log, "RequestRefused", "MoreRequestsRefused", Times, started);
        Assert.All(host.Log.Lines, line =>
        {
            Assert.InRange(line.Text.Length, 1, 400);
            Assert.DoesNotContain(line.Text, c => char.IsControl(c) || c is '\u2028' or '\u202e');
        });
    }
}
