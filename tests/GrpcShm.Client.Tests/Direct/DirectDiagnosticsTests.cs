using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>Spans, metrics and events of calls in direct mode, which are those of .NET's own handler.</summary>
[Collection(AloneCollection.Name)]
public sealed class DirectDiagnosticsTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Span_OfAResponse_IsThatOfHttpClient()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var spans = new SpanListener();
        using var parent = new Activity("parent").Start();
        parent.TraceStateString = "a=b";
        using var request = Responses.Post(null);

        using var response = await invoker.SendAsync(request, None).InTime();

        var span = Assert.Single(spans.Ended);
        Assert.Equal("System.Net.Http.HttpRequestOut", span.OperationName);
        Assert.Equal("POST", span.DisplayName);
        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal(parent.SpanId, span.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["http.request.method"] = "POST",
                ["server.address"] = "localhost",
                ["server.port"] = 80,
                ["url.full"] = Responses.Address,
                ["http.response.status_code"] = 200,
                ["network.protocol.version"] = "2",
            },
            span.TagObjects.ToDictionary());
        Assert.Same(parent, Activity.Current);
        var headers = await (await (await server.AcceptedAsync()).NextCallAsync()).HeadersReceived.InTime();
        Assert.Contains(("traceparent", span.Id!), headers);
        Assert.Contains(("tracestate", "a=b"), headers);
    }

    [Fact]
    public async Task Span_OfAFailure_SaysWhich()
    {
        await using var server = new FakeServer(static call =>
        {
            call.Reset(CallError.Internal);
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        using var spans = new SpanListener();

        await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(Responses.Post(null), None).InTime());

        var span = Assert.Single(spans.Ended);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal("http_protocol_error", span.GetTagItem("error.type"));
    }

    [Fact]
    public async Task Span_OfAConnectionThatFails_SaysSo()
    {
        await using var server = new FakeServer(Responses.EchoAsync, listens: false);
        using var invoker = server.CreateInvoker();
        using var spans = new SpanListener();

        await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(Responses.Post(null), None).InTime());

        Assert.Equal("connection_error", Assert.Single(spans.Ended).GetTagItem("error.type"));
    }

    [Fact]
    public async Task TraceHeaders_OfTheCaller_AreLeftAlone()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var parent = new Activity("parent").Start();
        const string Own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var request = Responses.Post(null);
        request.Headers.Add("traceparent", Own);

        using var response = await invoker.SendAsync(request, None).InTime();

        var headers = await (await (await server.AcceptedAsync()).NextCallAsync()).HeadersReceived.InTime();
        Assert.Equal([Own], headers.Where(static h => h.Name == "traceparent").Select(static h => h.Value));
    }

    [Fact]
    public async Task TraceHeaders_WithoutAnActivity_AreNotSent()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        Activity.Current = null;

        using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();

        var headers = await (await (await server.AcceptedAsync()).NextCallAsync()).HeadersReceived.InTime();
        Assert.DoesNotContain(headers, static h => h.Name == "traceparent");
    }

    [Fact]
    public async Task Metrics_OfRequestsAndConnections_AreThoseOfHttpClient()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var server = new FakeServer(static async call =>
        {
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
        });
        server.Options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        using var metrics = new MetricListener(server.Options.MeterFactory);
        var invoker = server.CreateInvoker();

        using (await invoker.SendAsync(Responses.Post(null), None).InTime())
        {
            Assert.Equal(0, metrics.Sum("http.client.active_requests"));
            Assert.Equal(1, metrics.Sum("http.client.open_connections", "http.connection.state", "active"));
            Assert.Equal(0, metrics.Sum("http.client.open_connections", "http.connection.state", "idle"));
        }

        // The connection is idle as soon as nothing more will come, whether or not the response has been read.
        Assert.Equal(1, metrics.Sum("http.client.open_connections", "http.connection.state", "idle"));
        Assert.Equal(0, metrics.Sum("http.client.open_connections", "http.connection.state", "active"));
        var duration = Assert.Single(metrics.Of("http.client.request.duration"));
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["url.scheme"] = "http",
                ["server.address"] = "localhost",
                ["server.port"] = 80,
                ["http.request.method"] = "POST",
                ["http.response.status_code"] = 200,
                ["network.protocol.version"] = "2",
            },
            duration.Tags);

        invoker.Dispose();

        await TimeLimit.UntilAsync(
            () => metrics.Sum("http.client.open_connections") == 0, () => "The connection is still counted.");
        await TimeLimit.UntilAsync(
            () => metrics.Of("http.client.connection.duration").Count > 0,
            () => "The connection's duration is not recorded.");

        // Whatever host the request names, the connection leads to the endpoint.
        var connection = Assert.Single(metrics.Of("http.client.connection.duration"));
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["url.scheme"] = "http",
                ["server.address"] = SharedMemoryChannel.AddressOf(server.EndPoint).Host,
                ["server.port"] = 80,
                ["network.protocol.version"] = "2",
            },
            connection.Tags);

        // The connection was made for the request, which waited for it.
        Assert.Equal(
            "POST", Assert.Single(metrics.Of("http.client.request.time_in_queue")).Tags["http.request.method"]);
    }

    [Theory]
    [InlineData("orders", "http://orders/")]
    [InlineData("Orders_1.x", "http://orders_1.x/")]
    [InlineData("/run/orders.sock", "http://orders/")]
    [InlineData("/run/two words.sock", "http://localhost/")]
    [InlineData("1", "http://localhost/")]
    [InlineData("1.2", "http://localhost/")]
    public void Address_OfAnEndpoint_HasItsNameAsTheAuthority(string endPoint, string address) =>
        Assert.Equal(address, SharedMemoryChannel.AddressOf(new SharedMemoryEndPoint(endPoint)).ToString());

    [Fact]
    public async Task Events_OfARequest_AreThoseOfHttpClient()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(null);
        using var events = new EventListener(request);

        using var response = await invoker.SendAsync(request, None).InTime();

        Assert.Equal(
            ["System.Net.Http.HttpRequestOut.Start", "System.Net.Http.HttpRequestOut.Stop"],
            events.Seen.Select(static e => e.Name));
        Assert.Same(response, events.Seen[1].Get("Response"));
        Assert.Equal(TaskStatus.RanToCompletion, events.Seen[1].Get("RequestTaskStatus"));
        Assert.All(events.Seen, static e => Assert.Equal("System.Net.Http.HttpRequestOut", e.Activity?.OperationName));
    }

    [Fact]
    public async Task Events_OfAFailure_SayWhich()
    {
        await using var server = new FakeServer(static call =>
        {
            call.Reset(CallError.Internal);
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(null);
        using var events = new EventListener(request);

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(request, None).InTime());

        Assert.Equal(
            [
                "System.Net.Http.HttpRequestOut.Start",
                "System.Net.Http.Exception",
                "System.Net.Http.HttpRequestOut.Stop",
            ],
            events.Seen.Select(static e => e.Name));
        Assert.Same(failure, events.Seen[1].Get("Exception"));
        Assert.Equal(TaskStatus.Faulted, events.Seen[2].Get("RequestTaskStatus"));
    }

    [Fact]
    public async Task Events_NextServerHasNoDirectMode_AreThoseOfOneRequest()
    {
        var isReplaced = 0;
        await using var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with
        {
            Modes = () => Volatile.Read(ref isReplaced) == 0 ? ConnectionModes.Calls : ConnectionModes.Bytes,
        };
        endPoint.Listen();
        using var invoker = new HttpMessageInvoker(SharedMemoryChannel.CreateHandler(
            endPoint.EndPoint.ToString(),
            new SharedMemoryClientOptions { RuntimeDirectory = endPoint.Directory, ConnectTimeout = TimeLimit.Value }));
        using var request = Responses.Post(null);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var events = new EventListener(request);

        var sending = invoker.SendAsync(request, None);
        var first = new TaskCompletionSource<FakeServerConnection>();
        await using var direct = new FakeServerConnection(
            await endPoint.AcceptAsync(),
            new CallSettings(),
            async call =>
            {
                // The request was under way in direct mode, and is sent again when the server has been replaced.
                Volatile.Write(ref isReplaced, 1);
                (await first.Task.InTime()).Calls.GoAway();
                call.Reset(CallError.Refused);
            },
            isServed: true);
        first.SetResult(direct);
        await using var peer = new Http2Peer(await endPoint.AcceptAsync());
        await peer.BeginAsync();
        await peer.AnswerAsync(await peer.RequestAsync());

        using var response = await sending.InTime();
        Assert.Equal(
            ["System.Net.Http.HttpRequestOut.Start", "System.Net.Http.HttpRequestOut.Stop"],
            events.Seen.Select(static e => e.Name));
        Assert.Same(response, events.Seen[1].Get("Response"));
    }

    [Theory]
    [InlineData("active requests")]
    [InlineData("duration")]
    [InlineData("event")]
    [InlineData("span")]
    public async Task Listener_ThatThrowsAtTheEnd_LosesNoResponseAndOthersHearOfTheEnd(string which)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var server = new FakeServer(static async call =>
        {
            // The call has no end of its own, so the test gives it up.
            call.SetHeaders((":status", "200"));
            await call.SendAsync(default);
        });
        server.Options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        using var invoker = server.CreateInvoker();
        using var request = Responses.Post(null);

        // Listeners to events are called in reverse order, other listeners in order.
        using var throwingAtEvents = which == "event" ? new ThrowingListener(request) : null;
        using var events = new EventListener(request);
        using var metrics = new MetricListener(server.Options.MeterFactory);
        using var spans = new SpanListener();
        using var throwing = which == "event" ? null : ThrowAt(which, server.Options.MeterFactory);

        await Assert.ThrowsAsync<TimeZoneNotFoundException>(() => invoker.SendAsync(request, None).InTime());

        await (await server.AcceptedAsync()).UntilIdleAsync();
        Assert.Equal([1, -1], metrics.Of("http.client.active_requests").Select(static m => m.Value));
        Assert.Single(metrics.Of("http.client.request.duration"));
        Assert.Equal(
            ["System.Net.Http.HttpRequestOut.Start", "System.Net.Http.HttpRequestOut.Stop"],
            events.Seen.Select(static e => e.Name));
        Assert.Single(spans.Ended);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, -1)]
    [InlineData(3, 1)]
    [InlineData(4, -1)]
    public async Task Listener_ThatThrows_FailsTheCallThatMeetsItAndLeavesNothingBehind(int which, int change)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var server = new FakeServer(Responses.EchoAsync);
        server.Options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        using (var warm = server.CreateInvoker())
        {
            // The process keeps some resources from its first connection on.
            (await warm.SendAsync(Responses.Post(null), None).InTime()).Dispose();
        }

        await (await server.AcceptedAsync()).Calls.Completion.InTime();
        await server.SpareIsReadyAsync();
        var before = Descriptors.Count;
        var count = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "http.client.open_connections"
                    && ReferenceEquals(instrument.Meter.Scope, server.Options.MeterFactory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };

        // The changes in order: idle (+1), not idle (-1), active (+1), not active (-1), idle (+1).
        listener.SetMeasurementEventCallback<long>((_, value, _, _) =>
        {
            if (Interlocked.Increment(ref count) == which)
            {
                Assert.Equal(change, value);
                throw new TimeZoneNotFoundException("The listener has failed.");
            }
        });
        listener.Start();
        using (var invoker = server.CreateInvoker())
        {
            var exception = await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                using var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
                await response.Content.ReadAsByteArrayAsync(None).InTime();
            });
            Assert.Contains("The listener has failed.", exception.ToString(), StringComparison.Ordinal);
            using var next = await invoker.SendAsync(Responses.Post(null), None).InTime();
            await next.Content.ReadAsByteArrayAsync(None).InTime();
        }

        await TimeLimit.UntilAsync(() => Descriptors.Count <= before, Descriptors.List);
    }

    [Fact]
    public async Task Listener_ThatHoldsANewConnectionUpUntilItHasGone_LetsNobodyWaitForIt()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var server = new FakeServer(Responses.EchoAsync, listens: false) { MaxCalls = 1, GoesAwayFrom = 1 };
        server.Options.MeterFactory = services.GetRequiredService<IMeterFactory>();
        server.Options.EnableMultipleConnections = false;
        server.Listen();
        var first = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "http.client.open_connections"
                    && ReferenceEquals(instrument.Meter.Scope, server.Options.MeterFactory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            if (Interlocked.Exchange(ref first, 1) == 0)
            {
                // The client has closed the connection, since it takes no more calls and has none, before the client
                // knew that it takes calls.
                var connection = server.AcceptedAsync().GetAwaiter().GetResult();
                Assert.True(connection.Calls.Completion.Wait(TimeLimit.Value));
            }
        });
        listener.Start();
        using var invoker = server.CreateInvoker();

        var calls = Enumerable.Range(0, 2)
            .Select(_ => Task.Run(() => invoker.SendAsync(Responses.Post(null), None), None))
            .ToList();

        foreach (var call in calls)
        {
            using var response = await call.InTime();
            await response.Content.ReadAsByteArrayAsync(None).InTime();
        }

        Assert.Equal(2, server.Accepted);
    }

    private static IDisposable ThrowAt(string which, IMeterFactory meterFactory)
    {
        if (which == "span")
        {
            var spans = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == "System.Net.Http",
                ActivityStopped = static _ => throw new TimeZoneNotFoundException("The listener has failed."),
            };
            ActivitySource.AddActivityListener(spans);
            return spans;
        }

        var name = which == "duration" ? "http.client.request.duration" : "http.client.active_requests";
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == name && ReferenceEquals(instrument.Meter.Scope, meterFactory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(
            static (_, _, _, _) => throw new TimeZoneNotFoundException("The listener has failed."));
        listener.SetMeasurementEventCallback<long>(static (_, value, _, _) =>
        {
            if (value < 0)
            {
                throw new TimeZoneNotFoundException("The listener has failed.");
            }
        });
        listener.Start();
        return listener;
    }

    private sealed class SpanListener : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly List<Activity> _ended = [];

        public SpanListener()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == "System.Net.Http",
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) =>
                    ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                {
                    lock (_ended)
                    {
                        _ended.Add(activity);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public List<Activity> Ended
        {
            get
            {
                lock (_ended)
                {
                    return [.. _ended];
                }
            }
        }

        public void Dispose() => _listener.Dispose();
    }

    private sealed class MetricListener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<(string Name, double Value, Dictionary<string, object?> Tags)> _measured = [];

        public MetricListener(IMeterFactory factory)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "System.Net.Http" && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
        }

        public List<(string Name, double Value, Dictionary<string, object?> Tags)> Of(string name)
        {
            lock (_measured)
            {
                return [.. _measured.Where(m => m.Name == name)];
            }
        }

        public double Sum(string name, string? tag = null, string? value = null) =>
            Of(name).Where(m => tag is null || Equals(m.Tags[tag], value)).Sum(static m => m.Value);

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (_measured)
            {
                _measured.Add((instrument.Name, value, tags.ToArray().ToDictionary()));
            }
        }
    }

    /// <summary>Keeps the events of one request.</summary>
    private sealed class EventListener :
        IObserver<DiagnosticListener>,
        IObserver<KeyValuePair<string, object?>>,
        IDisposable
    {
        private readonly HttpRequestMessage _request;
        private readonly List<IDisposable> _subscriptions = [];

        public EventListener(HttpRequestMessage request)
        {
            _request = request;
            _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public List<Event> Seen { get; } = [];

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "HttpHandlerDiagnosticListener")
            {
                _subscriptions.Add(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            var seen = new Event(value.Key, value.Value!, Activity.Current);
            if (ReferenceEquals(seen.Get("Request"), _request))
            {
                Seen.Add(seen);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscriptions.ForEach(static subscription => subscription.Dispose());
    }

    /// <summary>Throws at the last event of one request.</summary>
    private sealed class ThrowingListener :
        IObserver<DiagnosticListener>,
        IObserver<KeyValuePair<string, object?>>,
        IDisposable
    {
        private readonly HttpRequestMessage _request;
        private readonly List<IDisposable> _subscriptions = [];

        public ThrowingListener(HttpRequestMessage request)
        {
            _request = request;
            _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "HttpHandlerDiagnosticListener")
            {
                _subscriptions.Add(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Key.EndsWith(".Stop", StringComparison.Ordinal)
                && ReferenceEquals(new Event(value.Key, value.Value!, null).Get("Request"), _request))
            {
                throw new TimeZoneNotFoundException("The listener has failed.");
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscriptions.ForEach(static subscription => subscription.Dispose());
    }

    private sealed record Event(string Name, object Data, Activity? Activity)
    {
        public object? Get(string property) => Data.GetType().GetProperty(property)!.GetValue(Data);
    }
}
