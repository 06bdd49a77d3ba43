namespace GrpcShm.Transport.Calls;

/// <summary>
/// How long a call has waited for its peer to send data, and to take data. By the heartbeat, under the gate of the
/// call; reset with the call. Used only if there are time limits, on a server.
/// </summary>
internal struct PeerWaits
{
    private long _readTime;
    private SendWatch _watch;

    /// <summary>
    /// Counts the time since the heartbeat before, since a reader has waited. As in Kestrel, the whole time between two
    /// heartbeats counts if a reader has waited in it.
    /// </summary>
    /// <param name="elapsed">The time between the heartbeats, in ticks.</param>
    /// <param name="received">How many bytes have come, in all.</param>
    /// <param name="rate">The rate at which data has to come.</param>
    /// <returns>Whether the data comes too slowly.</returns>
    public bool IsDataOverdue(long elapsed, long received, in DataRate rate)
    {
        _readTime += elapsed;
        return _readTime > rate.GracePeriod.Ticks
            && received < rate.BytesPerSecond * _readTime / TimeSpan.TicksPerSecond;
    }

    /// <summary>Looks whether the peer takes data too slowly, while data waits for credit.</summary>
    /// <param name="clock">The time.</param>
    /// <param name="waits">Whether there is data that waits for credit.</param>
    /// <param name="sent">How many bytes have been sent, in all.</param>
    /// <param name="rate">The rate at which the peer has to take data.</param>
    public bool IsCreditOverdue(long clock, bool waits, long sent, in DataRate rate) =>
        _watch.IsOverdue(clock, waits, sent, Math.Min(sent, CallSettings.Window), rate);
}
