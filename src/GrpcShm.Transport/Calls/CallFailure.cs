namespace GrpcShm.Transport.Calls;

/// <summary>
/// Tells the reader and the writer of a call that it has failed, at once or after others who have to know first.
/// </summary>
internal sealed class CallFailure(CallLife life, FailureNotice notice, SendingHalf sending, ReceivedBody input)
{
    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    public void Tell(Exception exception, bool byPeer)
    {
        input.Fail(exception, byPeer);
        TellUnlessNoted();
    }

    /// <summary>
    /// Settles the failure that the reader will be told, and lets reader and writer wait until <see cref="TellNoted"/>,
    /// which has to be called after a failure was noted. Of several failures the first gives the reason; a failure that
    /// is noted after the telling changes only the peer's direction. By a thread that keeps the stream from carrying
    /// another call.
    /// </summary>
    public void Note(Exception exception, bool byPeer)
    {
        lock (life.Gate)
        {
            notice.Note();
        }

        input.Settle(exception, byPeer);
    }

    /// <summary>
    /// Tells the reader and the writer the noted failure. Any thread that keeps the stream from carrying another call.
    /// </summary>
    public void TellNoted()
    {
        input.ShowFailure();
        lock (life.Gate)
        {
            notice.Tell();
            WakeWriter();
        }
    }

    /// <summary>
    /// Tells the writer that nothing is sent any more, unless the failure has been noted, to be told later.
    /// </summary>
    public void TellUnlessNoted()
    {
        lock (life.Gate)
        {
            if (notice.TryTell())
            {
                WakeWriter();
            }
        }
    }

    /// <summary>Ends the wait of a flush. Under the gate.</summary>
    private void WakeWriter()
    {
        // The writer's memory is its own again. What is left of the data goes, or is dropped, with the call.
        sending.GiveBack(keepsCopy: true);
        sending.Flush.Wake();
    }
}
