using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using Grpc.Core;
using GrpcShm.AspNetCore.Native.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// Whether a call has to take the full pipeline, since somebody listens to what native calls do not tell. Some of this
/// is of the whole process, so no other test runs meanwhile.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class RequestListenersTests
{
    // Lines of the host, and of what carries its calls, which are written for native calls, too.
    private static readonly string[] Others =
        ["GrpcShm", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.Hosting", "Microsoft.Extensions.Hosting"];

    // RequestDiagnosticsTests compares them.
    private static readonly (string, LogLevel)[] Native =
    [
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Information),
        ("Microsoft.AspNetCore.Routing.EndpointMiddleware", LogLevel.Information),
    ];

    [Theory]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware", LogLevel.Debug, true)]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Routing.Matching.DfaMatcher", LogLevel.Debug, true)]
    [InlineData("Microsoft.AspNetCore.Routing", LogLevel.Trace, true)]
    [InlineData("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.Debug, true)]
    [InlineData("Grpc", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.StaticFiles", LogLevel.Debug, true)]
    [InlineData("Microsoft.AspNetCore.StaticFiles", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.HostFiltering", LogLevel.Trace, true)]
    [InlineData("Microsoft.AspNetCore.HostFiltering", LogLevel.Debug, false)]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Trace, false)]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointMiddleware", LogLevel.Trace, false)]
    public async Task AreThere_WithALogger_IsTrueForLinesThatNativeCallsDoNotWrite(
        string category, LogLevel level, bool expected)
    {
        await using var host = await StartAsync(builder => builder.AddFilter(category, level));

        Assert.Equal(expected, host.Services.GetRequiredService<RequestListeners>().AreThere);
    }

    [Fact]
    public async Task AreThere_WithALoggerOfALineOfThePipeline_IsTrueUnlessNativeCallsWriteTheLine()
    {
        var all = new LinesByCategory();
        await using (var host = await DiagnosedHost.StartAsync(
            isNative: false,
            static _ => Task.FromResult<byte[]>([1]),
            new Recorder(),
            builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(all);
                builder.Services.AddCors().AddRequestTimeouts().AddAuthorization().AddAntiforgery();
                builder.Services.AddRateLimiter(static _ => { }).AddOutputCache().AddAuthentication();
            },
            use: static app => app.UseDefaultFiles().UseStaticFiles().UseRouting().UseCors().UseRequestTimeouts()
                .UseAuthentication().UseAuthorization().UseRateLimiter().UseOutputCache().UseAntiforgery()))
        {
            all.Lines.Clear();
            Assert.Equal(
                StatusCode.OK, await host.CallAsync(cancellationToken: TestContext.Current.CancellationToken));
            await host.StopAsync();
        }

        var ofCalls = all.Lines.Where(static line => !Others.Any(line.Category.StartsWith)).ToHashSet();
        Assert.Contains(("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.Trace), ofCalls);
        Assert.Contains(("Microsoft.AspNetCore.StaticFiles.StaticFileMiddleware", LogLevel.Debug), ofCalls);
        Assert.All(
            ofCalls.Where(static line => !Native.Contains(line)),
            static line =>
            {
                using var loggers = LoggerFactory.Create(
                    builder => builder.AddFilter(line.Category, line.Level).AddProvider(new LinesByCategory()));
                using var events = new DiagnosticListener("nobody");
                Assert.True(new RequestListeners(events, loggers).AreThere);
            });
    }

    [Fact]
    public async Task AreThere_WithAListenerToDiagnostics_IsTrueWhileItListens()
    {
        await using var host = await StartAsync();
        var listeners = host.Services.GetRequiredService<RequestListeners>();
        Assert.False(listeners.AreThere);

        using (host.Services.GetRequiredService<DiagnosticListener>().Subscribe(new Nothing()))
        {
            Assert.True(listeners.AreThere);
        }

        Assert.False(listeners.AreThere);
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting")]
    [InlineData("Grpc.AspNetCore.Server")]
    public async Task AreThere_WithAListenerToEvents_IsTrueWhileItListens(string source)
    {
        await using var host = await StartAsync();
        var listeners = host.Services.GetRequiredService<RequestListeners>();
        Assert.False(listeners.AreThere);

        using (new EventsOf(source))
        {
            Assert.True(listeners.AreThere);
        }

        Assert.False(listeners.AreThere);
    }

    [Fact]
    public async Task AreThere_WithListenersToSpansAndMetrics_IsFalse()
    {
        using var recorder = new Recorder();
        await using var host = await StartAsync();
        using var spans = recorder.Listen(host.Source, ActivitySamplingResult.AllData);
        using var meters = recorder.Listen(host.Services.GetRequiredService<IMeterFactory>());

        Assert.False(host.Services.GetRequiredService<RequestListeners>().AreThere);
    }

    [Fact]
    public void IsHeard_OfASourceThatIsNotThereYet_IsTrueUntilItIs()
    {
        var name = $"source-{Guid.NewGuid():N}";
        var watched = new ForeignEventSource(name);
        Assert.True(watched.IsHeard);

        using var source = new EventSource(name);
        Assert.False(watched.IsHeard);
        using (new EventsOf(name))
        {
            Assert.True(watched.IsHeard);
        }

        Assert.False(watched.IsHeard);
    }

    /// <summary>Starts a host that has served a call, so that gRPC has made its source of events.</summary>
    private static async Task<DiagnosedHost> StartAsync(Action<ILoggingBuilder>? log = null)
    {
        var host = await DiagnosedHost.StartAsync(
            isNative: false,
            static _ => Task.FromResult<byte[]>([1]),
            new Recorder(),
            builder =>
            {
                builder.Logging.AddProvider(new LinesByCategory());
                log?.Invoke(builder.Logging);
            });
        Assert.Equal(StatusCode.OK, await host.CallAsync());
        return host;
    }

    /// <summary>Notes of which categories and levels lines are written.</summary>
    private sealed class LinesByCategory : ILoggerProvider
    {
        public ConcurrentQueue<(string Category, LogLevel Level)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) =>
            new LogCollector { Written = line => Lines.Enqueue((categoryName, line.Level)) };

        public void Dispose()
        {
        }
    }

    private sealed class Nothing : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value)
        {
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class EventsOf : EventListener
    {
        public EventsOf(string name) =>
            EnableEvents(EventSource.GetSources().Single(source => source.Name == name), EventLevel.Informational);
    }
}
