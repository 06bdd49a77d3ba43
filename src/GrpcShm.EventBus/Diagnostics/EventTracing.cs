using System.Diagnostics;
using System.Runtime.Loader;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// The activity source <c>GrpcShm.EventBus</c>, and the W3C trace context that events carry in their headers.
/// </summary>
internal static class EventTracing
{
    public const string Name = "GrpcShm.EventBus";
    public const string System = "xstatenet";

    private static readonly ActivitySource Source = CreateSource();

    public static bool HasListeners => Source.HasListeners();

    /// <summary>Makes the activity of a send or a publication; none if no listener wants it.</summary>
    public static Activity? CreateSending(in TracedEvent @event, in MessagingOperation operation)
    {
        var activity = Source.CreateActivity(operation.SpanName, ActivityKind.Producer, default(ActivityContext));
        if (activity is { IsAllDataRequested: true })
        {
            SetTags(activity, @event, operation);
        }

        return activity;
    }

    /// <summary>
    /// Makes the activity of the handling of an event, as a child of its send; none if no listener wants it.
    /// </summary>
    public static Activity? CreateHandling(in EventView @event)
    {
        var context = @event.ReadTraceContext();
        ActivityContext.TryParse(context.Parent, context.State, isRemote: true, out var parent);
        var operation = MessagingOperation.Process(@event.Target);
        var activity = Source.CreateActivity(operation.SpanName, ActivityKind.Consumer, parent);
        if (activity is { IsAllDataRequested: true })
        {
            SetTags(activity, @event.ReadTraced(), operation);
        }

        return activity;
    }

    /// <summary>The trace context of an activity. It is empty without an activity, or in other formats.</summary>
    public static TraceContext ContextOf(Activity? activity) =>
        activity is { IdFormat: ActivityIdFormat.W3C, Id: { } id }
            ? new TraceContext(id, activity.TraceStateString is { Length: > 0 } state ? state : null)
            : default;

    /// <summary>Puts a trace context into the headers of an event's message.</summary>
    public static void PutContext(Event @event, in TraceContext context)
    {
        if (context.Parent is { } parent)
        {
            Add(@event, TraceContext.ParentHeader, parent);
        }

        if (context.State is { } state)
        {
            Add(@event, TraceContext.StateHeader, state);
        }
    }

    /// <summary>Says in an activity how the operation that it stands for failed, if it did.</summary>
    public static void SetFailure(Activity activity, StatusCode failure, string? message)
    {
        if (failure != StatusCode.OK)
        {
            activity.SetTag("error.type", failure.ToString());
            activity.SetStatus(ActivityStatusCode.Error, message);
        }
    }

    private static void SetTags(Activity activity, in TracedEvent @event, in MessagingOperation operation)
    {
        activity.SetTag("messaging.system", System);
        activity.SetTag("messaging.operation.name", operation.Name);
        activity.SetTag("messaging.operation.type", operation.Type);
        activity.SetTag("messaging.message.body.size", @event.PayloadLength);
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

    private static ActivitySource CreateSource()
    {
        var source = new ActivitySource(Name);

        // The run-time lists all sources. The source must not outlive a plug-in that is unloaded.
        if (AssemblyLoadContext.GetLoadContext(typeof(EventTracing).Assembly) is { IsCollectible: true } context)
        {
            context.Unloading += _ => source.Dispose();
        }

        return source;
    }

    private static void Add(Event @event, string name, string value) =>
        @event.Headers.Add(new Header { Name = name, Value = value });
}
