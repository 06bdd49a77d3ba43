using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Makes events from the arguments of a program: names, a payload, options. A client and the hub's own process make
/// them in the same way.
/// </summary>
internal sealed class NewEvents(PayloadCodecs codecs)
{
    public PayloadCodecs Codecs => codecs;

    /// <summary>
    /// Makes an event. An object is encoded here, so the program may change it afterwards. Bytes of the program are not
    /// copied here (<see cref="NewPayload.IsBorrowed"/>).
    /// </summary>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public NewEvent Make(string source, string target, string name, object? payload, EventSendOptions? options)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new NewEvent(
            new EventNames(source, target, name),
            (DateTime.UtcNow - DateTime.UnixEpoch).Ticks,
            payload is null ? NewPayload.None : codecs.EncodeNew(payload),
            options,
            CopyHeaders(options));
    }

    /// <summary>Makes the event that tells of a change of a machine's state.</summary>
    public NewEvent Make(string machineId, MachineStateChange change, object? payload, EventSendOptions? options)
    {
        var name = change.Transition.Length > 0 ? change.Transition : "state-changed";
        var message = new StateChange
        {
            OldState = change.OldState,
            NewState = change.NewState,
            Transition = change.Transition,
            Duration = change.Duration.Ticks,
        };
        if (change.Context is not null)
        {
            var context = codecs.Encode(change.Context);
            message.Context = context.Data;
            message.ContextContentType = context.ContentType;
            message.ContextTypeName = context.TypeName;
        }

        return Make(machineId, "", name, payload, options) with { StateChange = message };
    }

    /// <summary>Makes the publication of an event, without the event.</summary>
    /// <exception cref="ArgumentException">
    /// The options name more than one audience, or leave a source out that they do not name.
    /// </exception>
    public static Publication Publish(EventPublishOptions options)
    {
        if (options.ExcludeSource && options.SourceMachineId.Length == 0)
        {
            throw new ArgumentException(
                "ExcludeSource leaves out the machine that publishes, and SourceMachineId does not say which one that "
                + "is. Set SourceMachineId, too.",
                nameof(options));
        }

        var publication = new Publication { ExcludeSource = options.ExcludeSource };
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

    // The program may change its own afterwards.
    private static KeyValuePair<string, string>[] CopyHeaders(EventSendOptions? options)
    {
        if (options?.Headers is not { Count: > 0 } headers)
        {
            return [];
        }

        KeyValuePair<string, string>[] copy = [.. headers];
        foreach (var (_, value) in copy)
        {
            ArgumentNullException.ThrowIfNull(value);
        }

        return copy;
    }
}
