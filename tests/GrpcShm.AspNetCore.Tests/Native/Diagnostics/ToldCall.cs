using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>How a call ends.</summary>
public enum CallEnd
{
    Answer,
    Status,
    Throw,
    Abort,
    Cancel,
}

/// <summary>Where the parent of a call's span comes from.</summary>
public enum Origin
{
    None,
    Sampled,
    NotSampled,
    Malformed,
    RequestId,
}

/// <summary>A call that is made to a host of each kind, so that what both tell of it can be compared.</summary>
internal sealed record ToldCall
{
    public const string Trace = "0123456789abcdef0123456789abcdef";
    public const string Parent = "fedcba9876543210";
    public const string OtherParent = "1111111111111111";

    private const string ToClient = "client ";

    public CallEnd End { get; init; }

    public Origin Origin { get; init; }

    /// <summary>
    /// The number of calls, one after another, which needs a listener to spans. The last ends as <see cref="End"/>
    /// says.
    /// </summary>
    public int Count { get; init; } = 1;

    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>What a listener to the host's spans wants; nothing if there is none.</summary>
    public ActivitySamplingResult? Sampling { get; init; }

    /// <summary>True if somebody listens to the host's metrics.</summary>
    public bool IsMeasured { get; init; }

    public Action<WebApplicationBuilder>? Configure { get; init; }

    public Action<GrpcServiceEndpointConventionBuilder>? Map { get; init; }

    /// <summary>What the handler does with the features of the request.</summary>
    public Action<IFeatureCollection>? Look { get; init; }

    private Metadata Headers => Origin switch
    {
        Origin.Sampled => new Metadata
        {
            { "traceparent", $"00-{Trace}-{Parent}-01" },
            { "tracestate", "vendor=value" },
            { "baggage", "user=you, tenant=them" },
            { "x-parent", "own" },
        },
        Origin.NotSampled => new Metadata { { "traceparent", $"00-{Trace}-{Parent}-00" } },
        Origin.Malformed => new Metadata { { "traceparent", "no parent" }, { "tracestate", "vendor=value" } },
        Origin.RequestId => new Metadata { { "request-id", "|parent.1." }, { "correlation-context", "user=you" } },
        _ => [],
    };

    /// <summary>Shows that a native call is told as it is in the full pipeline.</summary>
    /// <returns>What is told.</returns>
    public async Task<IReadOnlyList<string>> CompareAsync()
    {
        var pipeline = await RecordAsync(isNative: false);
        var native = await RecordAsync(isNative: true);

        Assert.NotEmpty(pipeline);
        Assert.Equal(pipeline, native);
        return native;
    }

    private async Task<IReadOnlyList<string>> RecordAsync(bool isNative)
    {
        using var recorder = new Recorder { Chosen = [Trace, Parent, OtherParent] };
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        ILogger? log = null;
        Activity? span = null;
        await using var host = await DiagnosedHost.StartAsync(
            isNative,
            async view =>
            {
                span = Activity.Current;
                recorder.Add($"handler {Recorder.Describe(span)}");
                recorder.Add($"feature {Recorder.Describe(view.Features.Get<IHttpActivityFeature>()?.Activity)}");
                log!.LogCritical("In the handler.");
                Look?.Invoke(view.Features);
                await FinishAsync(++calls < Count ? CallEnd.Answer : End, begun, view);
                log!.LogCritical("At the handler's end.");
                return [4, 5, 6];
            },
            recorder,
            builder =>
            {
                builder.Logging.SetMinimumLevel(Level);
                Configure?.Invoke(builder);
            },
            Map);
        log = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(Recorder.Handler);
        using var meters = IsMeasured ? recorder.Listen(host.Services.GetRequiredService<IMeterFactory>()) : null;
        using var spans = Sampling is { } sampling ? recorder.Listen(host.Source, sampling) : null;

        for (var i = 1; i < Count; i++)
        {
            recorder.Add($"{ToClient}{await host.CallAsync(Headers)}");

            // The last that is told of a call, to a listener to spans.
            await TimeLimit.UntilAsync(() => recorder.Lines.Count(IsStop) == i);
        }

        using var cancellation = new CancellationTokenSource();
        var calling = host.CallAsync(Headers, cancellation.Token);
        if (End == CallEnd.Cancel)
        {
            await begun.Task.InTime();
            await cancellation.CancelAsync();
        }

        recorder.Add($"{ToClient}{await calling}");
        await host.StopAsync();
        recorder.Add($"afterwards {Recorder.Describe(span)}");

        // A client may learn of the end before it is told here, or after.
        var lines = recorder.Lines.ToLookup(static line => line.StartsWith(ToClient, StringComparison.Ordinal));
        return [.. lines[true], .. lines[false]];
    }

    private static bool IsStop(string line) => line.StartsWith("stopped ", StringComparison.Ordinal);

    private static async Task FinishAsync(CallEnd end, TaskCompletionSource begun, HandlerView view)
    {
        switch (end)
        {
            case CallEnd.Status:
                throw new RpcException(new Status(StatusCode.NotFound, "It is not there."));
            case CallEnd.Throw:
                await Task.Yield();
                throw new InvalidOperationException("It fails.");
            case CallEnd.Abort:
                view.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort();
                break;
            case CallEnd.Cancel:
                begun.SetResult();
                await Task.Delay(Timeout.Infinite, view.Cancelled);
                break;
            default:
                await Task.Yield();
                break;
        }
    }
}
