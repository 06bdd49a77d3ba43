using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using GrpcShm.Hosting.Tests.Observing;
using Microsoft.AspNetCore.Hosting;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// If direct mode turns out not to carry a call only when the call is sent, the call goes over HTTP/2, and is reported
/// once.
/// </summary>
[Collection(Alone.Name)]
public sealed class UncarriedCallTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_WithHeadersTooLargeForDirectMode_IsToldOfOnce(bool byListener)
    {
        await using var plain = await PlainClient.StartAsync(static kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = 200_000;
            kestrel.ListenSharedMemory("greeter");
        });
        Assert.Equal("direct", await plain.GreetAsync());
        var host = $"uncarried-{Guid.NewGuid():N}";
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{host}/greeter.Greeter/Greet")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new("application/grpc") } },
        };
        request.Headers.TE.ParseAdd("trailers");
        if (!byListener)
        {
            Enlarge(request);
        }

        using var measured = new Measured(host);
        using var events = new EventListener(request, byListener ? Enlarge : null);
        using var invoker = new HttpMessageInvoker(plain.Handler, disposeHandler: false);

        using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["http2"], response.Headers.GetValues(ModeFilter.Header));
        Assert.Equal(
            ["System.Net.Http.HttpRequestOut.Start", "System.Net.Http.HttpRequestOut.Stop"],
            events.Seen.Select(static e => e.Name));
        Assert.Same(response, events.Seen[1].Get("Response"));
        Assert.Equal(TaskStatus.RanToCompletion, events.Seen[1].Get("RequestTaskStatus"));
        Assert.Equal([events.Seen[0].Activity!.Id], request.Headers.GetValues("traceparent"));
        Assert.Same(events.Seen[0].Activity, events.Seen[1].Activity);
        await TimeLimit.UntilAsync(() => measured.Durations == 1 && measured.Active == 0);
    }

    private static void Enlarge(HttpRequestMessage request)
    {
        for (var i = 0; i < 7; i++)
        {
            request.Headers.Add($"x-large-{i}", new string('a', 10_000));
        }
    }

    /// <summary>The measurements of the requests for a host.</summary>
    private sealed class Measured : IDisposable
    {
        private readonly MeterListener _listener;
        private readonly string _host;
        private int _durations;
        private long _active;

        public Measured(string host)
        {
            _host = host;
            _listener = new MeterListener
            {
                InstrumentPublished = static (instrument, listener) =>
                {
                    if (instrument.Meter.Name == "System.Net.Http"
                        && instrument.Name is "http.client.active_requests" or "http.client.request.duration")
                    {
                        listener.EnableMeasurementEvents(instrument);
                    }
                },
            };
            _listener.SetMeasurementEventCallback<double>(
                (_, _, tags, _) => Interlocked.Add(ref _durations, IsOfHost(tags) ? 1 : 0));
            _listener.SetMeasurementEventCallback<long>(
                (_, value, tags, _) => Interlocked.Add(ref _active, IsOfHost(tags) ? value : 0));
            _listener.Start();
        }

        public int Durations => Volatile.Read(ref _durations);

        public long Active => Interlocked.Read(ref _active);

        public void Dispose() => _listener.Dispose();

        private bool IsOfHost(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var (name, value) in tags)
            {
                if (name == "server.address")
                {
                    return Equals(value, _host);
                }
            }

            return false;
        }
    }

    /// <summary>Keeps the events of one request, and may change the request at its first event.</summary>
    private sealed class EventListener
        : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private readonly ConcurrentQueue<IDisposable> _subscriptions = [];
        private readonly HttpRequestMessage _request;
        private Action<HttpRequestMessage>? _change;

        public EventListener(HttpRequestMessage request, Action<HttpRequestMessage>? change)
        {
            _request = request;
            _change = change;
            _subscriptions.Enqueue(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public List<Event> Seen { get; } = [];

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "HttpHandlerDiagnosticListener")
            {
                _subscriptions.Enqueue(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            var seen = new Event(value.Key, value.Value!, Activity.Current);
            if (ReferenceEquals(seen.Get("Request"), _request))
            {
                Seen.Add(seen);
                _change?.Invoke(_request);
                _change = null;
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose()
        {
            foreach (var subscription in _subscriptions)
            {
                subscription.Dispose();
            }
        }
    }

    private sealed record Event(string Name, object Data, Activity? Activity)
    {
        public object? Get(string property) => Data.GetType().GetProperty(property)?.GetValue(Data);
    }
}
