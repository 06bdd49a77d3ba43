using System.Diagnostics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Diagnostics;

/// <summary>A peer that does the same wrong thing over and over: some lines, and a number for all the others.</summary>
public sealed class FloodedLogTests
{
    private const int Times = 60;

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
        await RepeatedLog.VerifyAsync(endPoint.ServerLog, "ClientRefused", "LinesLeftOut", Times, started);
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
        await RepeatedLog.VerifyAsync(endPoint.ServerLog, "ProtocolViolation", "LinesLeftOut", Times, started);
    }
}
