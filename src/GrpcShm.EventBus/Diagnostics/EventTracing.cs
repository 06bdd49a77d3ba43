using System.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>The activity source <c>GrpcShm.EventBus</c>, and the W3C trace context that events carry in their headers.</summary>
internal static class EventTracing
{
    public const string Name = "GrpcShm.EventBus";
    public const string System = "xstatenet";
    private const string TraceParent = "traceparent";
    private const string TraceState = "tracestate";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Begins the activity of a send, and puts the trace context into the event.</summary>
    public static Activity? Send(Event @event)
    {
        var activity = Source.HasListeners() ? Start(@event, ActivityKind.Producer, "send", default) : null;
        if ((activity ?? Activity.Current) is { IdFormat: ActivityIdFormat.W3C, Id: { } id } context)
        {
            Set(@event, TraceParent, id);
            if (context.TraceStateString is { Length: > 0 } state)
            {
                Set(@event, TraceState, state);
            }
        }

        return activity;
    }

    /// <summary>Begins the activity of handling an event, as a child of its send.</summary>
    public static Activity? Process(Event @event)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        ActivityContext.TryParse(Get(@event, TraceParent), Get(@event, TraceState), isRemote: true, out var parent);
        return Start(@event, ActivityKind.Consumer, "process", parent);
    }

    private static Activity? Start(Event @event, ActivityKind kind, string operation, ActivityContext parent)
    {
        var destination = @event.Target.Length > 0 ? @event.Target : "(published)";
        var activity = Source.CreateActivity($"{operation} {destination}", kind, parent);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.system", System);
            activity.SetTag("messaging.operation.name", operation);
            activity.SetTag("messaging.operation.type", operation);
            activity.SetTag("messaging.destination.name", destination);
            activity.SetTag("messaging.message.body.size", @event.Payload.Length);
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
