using Grpc.Core;
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
    CommandAnswers answers,
    ISessionEvents events,
    ConnectFailures failures)
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
        return await pipeline.ExecuteAsync(
            async cancellationToken =>
            {
                SessionLink? link = null;
                try
                {
                    link = new SessionLink(contract, queue, events);
                    link.StartReading();
                    await link.Opened.WaitAsync(AttemptTime, cancellationToken).ConfigureAwait(false);
                    var restoring = Restore();
                    queue.PutInFront(restoring.Concat(left));
                    left = [];
                    session.Link = link;
                    link.StartWriting();
                    var restored = SettleAsync(restoring);
                    await Task.WhenAny(restored, link.Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
                    failures.Clear();
                    return link;
                }
                catch (Exception exception)
                {
                    if (!stopping.IsCancellationRequested)
                    {
                        failures.Note(exception);
                    }

                    if (link is not null)
                    {
                        link.End(exception);

                        // Before the session was opened these are the commands as they were; afterwards, those that it
                        // took.
                        left = [.. await TakeOverAsync(link).ConfigureAwait(false), .. left];
                    }

                    throw;
                }
            },
            stopping).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes the commands that a lost session leaves. Requests fail, since they may have been handled; all other
    /// commands are sent again.
    /// </summary>
    public async Task<List<PendingCommand>> TakeOverAsync(SessionLink link)
    {
        var repeated = new List<PendingCommand>();
        foreach (var command in await link.TakeUnansweredAsync().ConfigureAwait(false))
        {
            if (command.IsRestoring)
            {
                command.TrySetResult(null);
            }
            else if (command.MayRepeat)
            {
                command.IsRepeated = true;
                repeated.Add(command);
            }
            else
            {
                answers.Fail(command, new EventBusException(
                    StatusCode.Unavailable,
                    "The connection was lost before the reply came. The request may have been handled.",
                    command.Command.Send?.Target));
            }
        }

        return repeated;
    }

    // The failure of each command is told where the command is refused.
    private static async Task SettleAsync(List<PendingCommand> commands) =>
        await Task.WhenAll(commands.Select(command => (Task)command.Task))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static PendingCommand MakeRestoring(SessionCommand command) =>
        new(command, PendingCommand.Overhead) { IsRestoring = true };

    // Makes the commands that tell a new session all about this client.
    private List<PendingCommand> Restore() =>
    [
        MakeRestoring(new SessionCommand { Open = opening.Clone() }),
        .. subscriptions.Restore(),
        .. waits.ListTold().Select(static wait => MakeRestoring(new SessionCommand { BeginWait = wait })),
    ];
}
