using Grpc.Core;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using Microsoft.AspNetCore.Http;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Access;

/// <summary>Asks the hub's policy about one caller: a session, or a single call.</summary>
/// <remarks>
/// It is asked before a command is carried out. It is not asked about a command that the command's own checks will
/// refuse as not valid, so that a policy never sees a name that is too long or has control characters.
/// </remarks>
internal sealed class AccessGate(
    AccessPolicy policy,
    EventLimits limits,
    MachineRegistry machines,
    HttpContext context,
    PeerIdentity identity,
    MachineOwner? owner)
{
    private readonly EventBusPeer _peer = new(identity, owner);

    /// <summary>
    /// Checks whether an event may be sent. If the policy lets the event come from a machine of another process, the
    /// origin notes it.
    /// </summary>
    public async ValueTask<Verdict> CheckSendAsync(RoutedEvent? @event, EventOrigin origin)
    {
        var verdict = await CheckSourceAsync(@event, origin).ConfigureAwait(false);
        return verdict.IsOk && @event is not null
            ? await CheckAsync(EventBusAction.SendTo, EventBusSubject.Machine, @event.Target).ConfigureAwait(false)
            : verdict;
    }

    /// <summary>Checks whether an event may be published.</summary>
    public async ValueTask<Verdict> CheckPublishAsync(
        Publication? publication, RoutedEvent? @event, EventOrigin origin)
    {
        var verdict = await CheckSourceAsync(@event, origin).ConfigureAwait(false);
        return verdict.IsOk ? await CheckAudienceAsync(publication).ConfigureAwait(false) : verdict;
    }

    /// <summary>Checks whether a machine may be registered.</summary>
    public async ValueTask<Verdict> CheckRegisterAsync(Registration registration)
    {
        if (!limits.Check(registration).IsOk)
        {
            return Verdict.Ok;
        }

        var verdict = await CheckAsync(EventBusAction.Register, EventBusSubject.Machine, registration.MachineId)
            .ConfigureAwait(false);
        for (var i = 0; i < registration.Groups.Count && verdict.IsOk; i++)
        {
            verdict = await CheckAsync(EventBusAction.JoinGroup, EventBusSubject.Group, registration.Groups[i])
                .ConfigureAwait(false);
        }

        return verdict;
    }

    /// <summary>Checks whether a subscription may be made.</summary>
    public async ValueTask<Verdict> CheckSubscribeAsync(Subscription? subscription)
    {
        var verdict = await CheckFilterAsync(subscription).ConfigureAwait(false);
        var isBlockingObserver = subscription is { Mailbox.OverflowPolicy: OverflowPolicy.Block }
            && subscription.FilterCase != Subscription.FilterOneofCase.Inbox;
        return verdict.IsOk && isBlockingObserver
            ? await CheckAsync(EventBusAction.HoldUpSenders, EventBusSubject.All, "").ConfigureAwait(false)
            : verdict;
    }

    /// <summary>
    /// Checks whether events of a machine may go to another one past the hub. They could not be checked one by one.
    /// </summary>
    public async ValueTask<Verdict> CheckRouteAsync(RouteRequest request)
    {
        var verdict = await CheckAsync(EventBusAction.SendTo, EventBusSubject.Machine, request.Target)
            .ConfigureAwait(false);
        return verdict.IsOk && limits.CheckId(request.Source, "source").IsOk && limits.CheckId(request.Target, "").IsOk
            ? await AskAsync(EventBusAction.OpenRoute, EventBusSubject.Machine, request.Target, request.Source)
                .ConfigureAwait(false)
            : verdict;
    }

    /// <summary>Checks whether machines may be listed.</summary>
    public ValueTask<Verdict> CheckListAsync(ListMachinesRequest request) =>
        request.Group.Length > 0 ? CheckAsync(EventBusAction.List, EventBusSubject.Group, request.Group)
        : request.MachinePattern.Length > 0
            ? CheckAsync(EventBusAction.List, EventBusSubject.MachinePattern, request.MachinePattern)
        : CheckAsync(EventBusAction.List, EventBusSubject.All, "");

    private static string Describe(EventPattern pattern) =>
        $"{AnyIfEmpty(pattern.Source)} \u2192 {AnyIfEmpty(pattern.Target)}{OfGroup(pattern.Group)}: "
        + AnyIfEmpty(pattern.Name);

    private static string OfGroup(string group) => group.Length == 0 ? "" : $" of {group}";

    private static string AnyIfEmpty(string part) => part.Length == 0 ? "*" : part;

    private static Verdict Denied(EventBusAccess access)
    {
        var what = access.Subject switch
        {
            EventBusSubject.Machine => $"the machine '{access.Name}'",
            EventBusSubject.Group => $"the group '{access.Name}'",
            EventBusSubject.MachinePattern => $"the machines '{access.Name}'",
            EventBusSubject.EventPattern => $"the events '{access.Name}'",
            EventBusSubject.Observers => "observers",
            _ => "all",
        };
        var who = access.Peer.UserId.Length > 0
            ? $"The user '{PeerText.Clean(access.Peer.UserId, PeerText.MaxSentence)}'"
            : "This caller";
        return new Verdict(
            StatusCode.PermissionDenied,
            $"{who} may not do this: {access.Action}, {what}. The hub's Authorize or AuthorizationPolicy forbids it.",
            access.Subject == EventBusSubject.Machine ? access.Name : "");
    }

    private ValueTask<Verdict> CheckAudienceAsync(Publication? publication) => publication?.AudienceCase switch
    {
        Publication.AudienceOneofCase.All => CheckAsync(EventBusAction.PublishTo, EventBusSubject.All, ""),
        Publication.AudienceOneofCase.Group =>
            CheckAsync(EventBusAction.PublishTo, EventBusSubject.Group, publication.Group),
        Publication.AudienceOneofCase.MachinePattern =>
            CheckAsync(EventBusAction.PublishTo, EventBusSubject.MachinePattern, publication.MachinePattern),
        Publication.AudienceOneofCase.Observers => CheckAsync(EventBusAction.PublishTo, EventBusSubject.Observers, ""),
        _ => ValueTask.FromResult(Verdict.Ok),
    };

    private ValueTask<Verdict> CheckFilterAsync(Subscription? subscription) => subscription?.FilterCase switch
    {
        Subscription.FilterOneofCase.Inbox =>
            CheckAsync(EventBusAction.Register, EventBusSubject.Machine, subscription.Inbox),
        Subscription.FilterOneofCase.Machine =>
            CheckAsync(EventBusAction.Observe, EventBusSubject.Machine, subscription.Machine),
        Subscription.FilterOneofCase.Group =>
            CheckAsync(EventBusAction.Observe, EventBusSubject.Group, subscription.Group),
        Subscription.FilterOneofCase.StateChanges =>
            CheckAsync(EventBusAction.Observe, EventBusSubject.MachinePattern, subscription.StateChanges),
        Subscription.FilterOneofCase.Pattern => limits.Check(subscription).IsOk
            ? AskAsync(EventBusAction.Observe, EventBusSubject.EventPattern, Describe(subscription.Pattern))
            : ValueTask.FromResult(Verdict.Ok),
        Subscription.FilterOneofCase.All => CheckAsync(EventBusAction.Observe, EventBusSubject.All, ""),
        Subscription.FilterOneofCase.MachineChanges =>
            CheckAsync(EventBusAction.List, EventBusSubject.MachinePattern, subscription.MachineChanges),
        _ => ValueTask.FromResult(Verdict.Ok),
    };

    private async ValueTask<Verdict> CheckSourceAsync(RoutedEvent? @event, EventOrigin origin)
    {
        origin.MaySendAsOther = false;
        if (@event is null || @event.IsEmpty(EventPart.Source))
        {
            return Verdict.Ok;
        }

        if (!machines.TryGet(@event, EventPart.Source, out var source))
        {
            return await CheckAsync(EventBusAction.SendAs, EventBusSubject.Machine, @event.Source)
                .ConfigureAwait(false);
        }

        if (origin.Owns(source!.Owner))
        {
            return Verdict.Ok;
        }

        var verdict =
            await CheckAsync(EventBusAction.SendAsOther, EventBusSubject.Machine, @event.Source).ConfigureAwait(false);
        origin.MaySendAsOther = verdict.IsOk;
        return verdict;
    }

    private ValueTask<Verdict> CheckAsync(EventBusAction action, EventBusSubject subject, string name) =>
        limits.CheckText(name, "name").IsOk ? AskAsync(action, subject, name) : ValueTask.FromResult(Verdict.Ok);

    private async ValueTask<Verdict> AskAsync(
        EventBusAction action, EventBusSubject subject, string name, string source = "")
    {
        var access = new EventBusAccess(_peer, action, subject, name, source);
        return await policy.AllowsAsync(access, context).ConfigureAwait(false) ? Verdict.Ok : Denied(access);
    }
}
