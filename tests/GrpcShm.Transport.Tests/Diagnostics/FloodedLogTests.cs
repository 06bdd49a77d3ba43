using System.Diagnostics;
using System.Globalization;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Tests.Calls;
using GrpcShm.Transport.Tests.Direct;
using GrpcShm.Transport.Tests.Handshake;

namespace GrpcShm.Transport.Tests.Diagnostics;

/// <summary>A peer that does the same wrong thing over and over: some lines, and a number for all the others.</summary>
public sealed class FloodedLogTests
{
    private const int Times = 60;
    private const int LinesInAWindow = 8;

    [Fact]
    public async Task Clients_ThatAreRefusedOverAndOver_HaveSomeLinesAndASum()
    {
        await using var endPoint = new TestEndPoint();
        var listener = endPoint.Listen();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Times; i++)
        {
            using var peer = new RawBytesPeer(endPoint.SocketPath);
            peer.Send(new byte[64]);
            peer.ReceiveToTheEnd();
        }

        await listener.DisposeAsync().InTime();
        await VerifyAsync(endPoint.ServerLog, "ClientRefused", "LinesLeftOut", started);
    }

    [Fact]
    public async Task Connections_ThatAreCutOffOverAndOver_HaveSomeLinesAndASum()
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with { Modes = static () => ConnectionModes.Calls };
        var listener = endPoint.Listen();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Times; i++)
        {
            using var client = await RawClient.ConnectAsync(endPoint.SocketPath, ConnectionModes.Calls);
            using var connection = await endPoint.AcceptAsync();
            var server = new CallConnection(connection, new CallSettings(), acceptor: null);
            server.Start();
            client.PublishFrame(RawFrames.Control((FrameType)99, 0, 0));
            await server.Completion.InTime();
        }

        await listener.DisposeAsync().InTime();
        await VerifyAsync(endPoint.ServerLog, "ProtocolViolation", "LinesLeftOut", started);
    }

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

        await VerifyAsync(host.Log, "RequestRefused", "MoreRequestsRefused", started);
        Assert.All(host.Log.Lines, line =>
        {
            Assert.InRange(line.Text.Length, 1, 400);
            Assert.DoesNotContain(line.Text, c => char.IsControl(c) || c is '\u2028' or '\u202e');
        });
    }

    private static async Task VerifyAsync(LogCollector log, string name, string sumName, long started)
    {
        long Told() => log.Lines.Count(line => line.Name == name);
        long Summed() => log.Lines.Where(line => line.Name == sumName)
            .Sum(line => long.Parse(line.Text.Split(' ').First(word => word.All(char.IsAsciiDigit)), CultureInfo.InvariantCulture));

        await TimeLimit.UntilAsync(() => Told() + Summed() == Times, () => $"There are {Told()} lines, and {Summed()} were summed up.");

        // A machine that is busy may need several windows.
        var windows = 1 + (int)(Stopwatch.GetElapsedTime(started) / RepeatedLines.Window);
        Assert.InRange(Told(), 1, LinesInAWindow * windows);
    }
}
