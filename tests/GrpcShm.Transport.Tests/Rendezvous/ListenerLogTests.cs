using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class ListenerLogTests
{
    private readonly LogCollector _lines = new();
    private readonly ListenerLog _log;

    public ListenerLogTests() =>
        _log = new ListenerLog(new SharedMemoryEndPoint("orders"), TransportMetrics.For(null), _lines);

    [Theory]
    [InlineData((int)RefusalCode.Busy, LogLevel.Warning)]
    [InlineData((int)RefusalCode.Gone, LogLevel.Debug)]
    public void WriteRefusal_OneClient_SaysWhoAndWhy(int code, LogLevel level)
    {
        WriteRefusal((RefusalCode)code);

        var line = Assert.Single(_lines.Lines);
        Assert.Equal((level, "ClientRefused"), (line.Level, line.Name));
        Assert.Contains("'shm:orders'", line.Text, StringComparison.Ordinal);
        Assert.Contains("process 4711", line.Text, StringComparison.Ordinal);
        Assert.Contains("The reason.", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void WriteRest_AFlood_SaysHowManyOfEachKindWereLeftOut()
    {
        for (var i = 0; i < 100; i++)
        {
            WriteRefusal(RefusalCode.Busy);
            _log.WriteFailure(new InvalidDataException());
            _log.Violations.Next(out _);
        }

        var before = _lines.Lines.Count;
        Assert.InRange(before, 2, 100);

        _log.WriteRest();

        var rest = _lines.Lines.Skip(before).ToList();
        Assert.Equal(3, rest.Count);
        Assert.All(rest, static line => Assert.Equal("LinesLeftOut", line.Name));
        foreach (var kind in new[] { "ClientRefused", "ProtocolViolation", "ListenerFailed" })
        {
            Assert.Contains(rest, line => line.Text.Contains(kind, StringComparison.Ordinal));
        }

        _log.WriteRest();
        Assert.Equal(before + 3, _lines.Lines.Count);
    }

    private void WriteRefusal(RefusalCode code) =>
        _log.WriteRefusal(new SharedMemoryPeer(4711, new PeerIdentity("1000"), "1000"), code, "The reason.");
}
