using System.Collections.Immutable;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Makes events from the arguments of a program: names, a payload, options. A client and the hub's own process make
/// them in the same way.
/// </summary>
internal sealed class NewEvents(PayloadCodecs codecs)
{
    public PayloadCodecs Codecs => codecs;

    /// <summary>Makes an event. The payload is encoded here, so the program may change it afterwards.</summary>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Event Make(string source, string target, string name, object? payload, EventSendOptions? options)
    {
        var @event = new Event
        {
            Name = name,
            Source = source,
            Target = target,
            Timestamp = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks,
        };
        if (options is not null)
        {
            @event.Id = options.Id ?? "";
            @event.Version = unchecked((uint)options.Version);
            @event.CorrelationId = options.CorrelationId ?? "";
            @event.CausationId = options.CausationId ?? "";
            foreach (var (header, value) in options.Headers ?? ImmutableDictionary<string, string>.Empty)
            {
                @event.Headers.Add(new Header { Name = header, Value = value });
            }
        }

        codecs.EncodeInto(@event, payload);
        return @event;
    }

    /// <summary>Makes the event that tells of a change of a machine's state.</summary>
    public Event Make(string machineId, MachineStateChange change, object? payload, EventSendOptions? options)
    {
        var name = change.Transition.Length > 0 ? change.Transition : "state-changed";
        var @event = Make(machineId, "", name, payload, options);
        @event.StateChange = new StateChange
        {
            OldState = change.OldState,
            NewState = change.NewState,
            Transition = change.Transition,
            Duration = change.Duration.Ticks,
        };
        if (change.Context is not null)
        {
            var context = codecs.Encode(change.Context);
            @event.StateChange.Context = context.Data;
            @event.StateChange.ContextContentType = context.ContentType;
            @event.StateChange.ContextTypeName = context.TypeName;
        }

        return @event;
    }

    /// <summary>Makes the publication of an event.</summary>
    /// <exception cref="ArgumentException">
    /// The options name more than one audience, or leave a source out that they do not name.
    /// </exception>
    public static Publication Publish(Event @event, EventPublishOptions options)
    {
        if (options.ExcludeSource && options.SourceMachineId.Length == 0)
        {
            throw new ArgumentException(
                "ExcludeSource leaves out the machine that publishes, and SourceMachineId does not say which one that "
                + "is. Set SourceMachineId, too.",
                nameof(options));
        }

        var publication = new Publication { Event = @event, ExcludeSource = options.ExcludeSource };
        switch (options)
        {
            case { Group: { } group, MachinePattern: null, ObserversOnly: false }:
                publication.Group = group;
                break;
            case { Group: null, MachinePattern: { } pattern, ObserversOnly: false }:
                publication.MachinePattern = pattern;
                break;
            case { Group: null, MachinePattern: null, ObserversOnly: true }:
                publication.Observers = new Observers();
                break;
            case { Group: null, MachinePattern: null, ObserversOnly: false }:
                publication.All = new AllMachines();
                break;
            default:
                throw new ArgumentException(
                    "The options name more than one audience. Publish once for each.", nameof(options));
        }

        return publication;
    }
}
