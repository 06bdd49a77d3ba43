using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>How the end of a send is told, by itself.</summary>
public sealed class SendReportsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly List<string> _sent = [];
    private readonly List<string> _failed = [];
    private readonly TaskCompletionSource _told = new();
    private readonly SendReports _reports;
    private bool _throws;

    public SendReportsTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        var events = new RaisedEvents(this, NullLogger.Instance);
        events.SendFailed += (_, failure) =>
        {
            _failed.Add(failure.EventName);
            _told.TrySetResult();
        };
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory) && instrument.Name == "messaging.client.sent.messages")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            var failure = tags.ToArray().FirstOrDefault(tag => tag.Key == "error.type").Value;
            _sent.Add((string?)failure ?? "OK");
            if (_throws)
            {
                throw new InvalidOperationException("A listener's own.");
            }
        });
        _listener.Start();
        _reports = new SendReports(
            new EventInstruments(new MessagingMetrics(factory, namesDestinations: false), events), events);
    }

    private static EventBusException Failure { get; } = new(StatusCode.NotFound, "It is not there.");

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Tell_EachWayThatASendEnds_IsToldOnce()
    {
        Tell("GOOD", null, isAttempt: false);
        Tell("GOOD-ATTEMPT", null, isAttempt: true);
        Tell("BAD-ATTEMPT", Failure, isAttempt: true);
        Tell("BAD", Failure, isAttempt: false);
        await _told.Task.InTime();

        Assert.Equal(["OK", "OK", "NotFound"], _sent);
        Assert.Equal(["BAD"], _failed);
    }

    [Fact]
    public async Task Tell_ListenerOfTheMetricsThrows_HarmsNobody()
    {
        _throws = true;

        Tell("GOOD", null, isAttempt: false);
        Tell("BAD", Failure, isAttempt: false);
        await _told.Task.InTime();

        Assert.Equal(["OK", "NotFound"], _sent);
        Assert.Equal(["BAD"], _failed);
    }

    private void Tell(string name, EventBusException? failure, bool isAttempt) =>
        _reports.Tell(null, 0, MessagingOperation.Send("m"), new Event { Name = name }, failure, isAttempt);
}
