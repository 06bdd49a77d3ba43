using System.Diagnostics;
using System.Runtime.Loader;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// The activity source <c>GrpcShm.EventBus</c>, and the W3C trace context that events carry in their headers.
/// </summary>
internal static class EventTracing
{
    public const string Name = "GrpcShm.EventBus";
    public const string System = "xstatenet";
    private const string TraceParent = "traceparent";
    private const string TraceState = "tracestate";

    private static readonly ActivitySource Source = CreateSource();

    /// <summary>
    /// Begins the activity of a send or a publication, and puts the trace context into the event. The caller's own
    /// activity stays the current one: this one lasts until the answer is there (<see cref="End"/>), on whatever thread
    /// that is.
    /// </summary>
    public static Activity? Begin(Event @event, in MessagingOperation operation)
    {
        var current = Activity.Current;
        Activity? activity = null;
        if (Source.HasListeners())
        {
            activity = Start(@event, ActivityKind.Producer, operation, default);
            Activity.Current = current;
        }

        if ((activity ?? current) is { IdFormat: ActivityIdFormat.W3C, Id: { } id } context)
        {
            Set(@event, TraceParent, id);
            if (context.TraceStateString is { Length: > 0 } state)
            {
                Set(@event, TraceState, state);
            }
        }

        return activity;
    }

    /// <summary>Ends an activity that <see cref="Begin"/> began.</summary>
    public static void End(Activity? activity, StatusCode failure, string? message)
    {
        if (activity is null)
        {
            return;
        }

        SetFailure(activity, failure, message);
        var current = Activity.Current;
        activity.Stop();
        Activity.Current = current;
    }

    /// <summary>Says how what an activity stands for failed, if it did.</summary>
    public static void SetFailure(Activity activity, StatusCode failure, string? message)
    {
        if (failure != StatusCode.OK)
        {
            activity.SetTag("error.type", failure.ToString());
            activity.SetStatus(ActivityStatusCode.Error, message);
        }
    }

    /// <summary>
    /// Begins the activity of handling an event, as a child of its send, and makes it the current one.
    /// </summary>
    public static Activity? Process(Event @event)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        ActivityContext.TryParse(Get(@event, TraceParent), Get(@event, TraceState), isRemote: true, out var parent);
        return Start(@event, ActivityKind.Consumer, MessagingOperation.Process(@event.Target), parent);
    }

    private static Activity? Start(
        Event @event, ActivityKind kind, in MessagingOperation operation, ActivityContext parent)
    {
        var activity = Source.CreateActivity(operation.SpanName, kind, parent);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.system", System);
            activity.SetTag("messaging.operation.name", operation.Name);
            activity.SetTag("messaging.operation.type", operation.Type);
            activity.SetTag("messaging.message.body.size", @event.Payload.Length);
            if (operation.Destination.Length > 0)
            {
                activity.SetTag("messaging.destination.name", operation.Destination);
            }

            if (@event.Id.Length > 0)
            {
                activity.SetTag("messaging.message.id", @event.Id);
            }

            if (@event.CorrelationId.Length > 0)
            {
                activity.SetTag("messaging.message.conversation_id", @event.CorrelationId);
            }
        }

        return activity?.Start();
    }

    private static ActivitySource CreateSource()
    {
        var source = new ActivitySource(Name);

        // The run-time has a list of all sources, which must not outlast a plug-in that is unloaded.
        if (AssemblyLoadContext.GetLoadContext(typeof(EventTracing).Assembly) is { IsCollectible: true } context)
        {
            context.Unloading += _ => source.Dispose();
        }

        return source;
    }

    private static string? Get(Event @event, string name)
    {
        string? value = null;
        foreach (var header in @event.Headers)
        {
            value = header.Name == name ? header.Value : value;
        }

        return value;
    }

    private static void Set(Event @event, string name, string value) =>
        @event.Headers.Add(new Header { Name = name, Value = value });
}
