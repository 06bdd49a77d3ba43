using GrpcShm.EventBus.Lanes;
using Polly;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Makes the sessions of a client, one after the other: opens each, and tells it all about the client before other
/// commands are written. Only the client's link runs it, one attempt at a time.
/// </summary>
internal sealed class SessionMaker(
    Contract.EventBusClient contract,
    ResiliencePipeline pipeline,
    OpenSession opening,
    CommandQueue queue,
    CurrentSession session,
    ClientSubscriptions subscriptions,
    ClientWaits waits,
    LeftCommands leftCommands,
    ISessionEvents events,
    ConnectFailures failures,
    ShortSessions shortSessions,
    ClientLanes? lanes)
{
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(10);

    /// <summary>Makes a session, in as many attempts as the pipeline allows.</summary>
    /// <param name="unanswered">
    /// The commands that the session before left unanswered. They are sent again, before all new ones.
    /// </param>
    /// <param name="stopping">Gives up.</param>
    public async Task<SessionLink> ConnectAsync(List<PendingCommand> unanswered, CancellationToken stopping)
    {
        // The commands that an attempt leaves go into the next one.
        var left = unanswered;
        var failed = shortSessions.Failures;
        try
        {
            return await pipeline.ExecuteAsync(ConnectOnceAsync, stopping).ConfigureAwait(false);
        }
        catch
        {
            // Whoever ends the attempts ends these commands, too.
            queue.PutInFront(left);
            throw;
        }

        async ValueTask<SessionLink> ConnectOnceAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                if (await TryConnectAsync(cancellationToken).ConfigureAwait(false) is { } link)
                {
                    return link;
                }
            }
        }

        // Gives back none if a command ended the session that is not sent again. Then it was no failure of the attempt:
        // the other commands neither wait for the next one, nor end with the last one that the pipeline allows.
        async ValueTask<SessionLink?> TryConnectAsync(CancellationToken cancellationToken)
        {
            SessionLink? link = null;
            try
            {
                if (failed-- > 0)
                {
                    throw shortSessions.MakeFailure();
                }

                link = new SessionLink(contract, queue, events);
                link.StartReading();
                var opened = await link.Opened.WaitAsync(AttemptTime, cancellationToken).ConfigureAwait(false);
                var restoring = await RestoreAsync(opened, cancellationToken).ConfigureAwait(false);
                lanes?.Begin(link, opened);
                queue.PutInFront(restoring.Concat(left));
                left = [];
                session.Link = link;
                link.StartWriting();
                var restored = SettleAsync(restoring);
                await Task.WhenAny(restored, link.Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (!link.IsClosing && !restoring.All(static command => command.Task.IsCompleted))
                {
                    throw await link.Ended.ConfigureAwait(false);
                }

                link.NoteRestored();
                failures.Clear();
                return link;
            }
            catch (Exception exception)
            {
                var isCauseKnown = false;
                if (link is not null)
                {
                    link.End(exception);

                    // Before the session was opened these are the commands as they were; afterwards, those that it
                    // took.
                    var wasOpened = link.Opened.IsCompletedSuccessfully;
                    left =
                    [
                        .. await leftCommands.TakeAsync(link, NoteEnd).ConfigureAwait(false),
                        .. left,
                    ];

                    bool NoteEnd(bool isKnown)
                    {
                        isCauseKnown = isKnown;
                        return wasOpened;
                    }
                }

                if (isCauseKnown && !cancellationToken.IsCancellationRequested)
                {
                    return null;
                }

                if (!stopping.IsCancellationRequested)
                {
                    failures.Note(exception);
                }

                throw;
            }
        }
    }

    /// <summary>
    /// Takes the commands that a lost session leaves. Requests fail, since they may have been handled; all other
    /// commands are sent again.
    /// </summary>
    public Task<List<PendingCommand>> TakeOverAsync(SessionLink link) =>
        leftCommands.TakeAsync(link, isCauseKnown => shortSessions.Note(link, isCauseKnown));

    /// <summary>Forgets the sessions before: the attempts begin anew.</summary>
    public void Forget()
    {
        failures.Clear();
        shortSessions.Clear();
    }

    // The failure of each command is told where the command is refused.
    private static async Task SettleAsync(List<PendingCommand> commands) =>
        await Task.WhenAll(commands.Select(command => (Task)command.Task))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static PendingMessage MakeRestoring(SessionCommand command) =>
        new(command) { IsRestoring = true };

    // Makes the commands that tell a new session all about this client.
    private async ValueTask<List<PendingCommand>> RestoreAsync(
        SessionOpened opened, CancellationToken cancellationToken)
    {
        var open = opening.Clone();
        if (lanes is not null && opened.OffersLanes)
        {
            await lanes.AnnounceAsync(open, cancellationToken).ConfigureAwait(false);
        }

        return
        [
            MakeRestoring(new SessionCommand { Open = open }),
            .. subscriptions.Restore(),
            .. waits.ListTold().Select(static wait => MakeRestoring(new SessionCommand { BeginWait = wait })),
        ];
    }
}
