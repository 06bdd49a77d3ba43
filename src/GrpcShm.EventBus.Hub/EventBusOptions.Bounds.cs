namespace GrpcShm.EventBus;

// Bounds of the cost that one client may have for the others.
public sealed partial class EventBusOptions
{
    /// <summary>
    /// Whether a subscription that only observes may have senders wait for it (<c>OVERFLOW_POLICY_BLOCK</c>). If so, a
    /// subscription that takes no event holds up its senders once for <see cref="MaxCopyBlockTime"/>, and a slow
    /// subscription holds them up for that time again and again.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>: refused with <c>PERMISSION_DENIED</c>.</remarks>
    public bool AllowBlockingObservers { get; set; }

    /// <summary>
    /// How long a sender waits for room in a full mailbox that blocks its senders, if it is not the mailbox of the
    /// event's target: for an observer's copy, and for a publication. Never longer than <see cref="MaxBlockTime"/>.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 1 second.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan MaxCopyBlockTime
    {
        get;
        set => field = Check(value, nameof(MaxCopyBlockTime));
    } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The most bytes of events that wait in one mailbox, or for a machine whose inbox has no subscription. Further
    /// events are treated as if the mailbox's capacity were reached. At least one event fits.
    /// </summary>
    /// <value>1,024 or more.</value>
    /// <remarks>Defaults to 64 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxMailboxSize
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxMailboxSize));
    } = 64L * 1024 * 1024;

    /// <summary>
    /// The most bytes of events that wait in the mailboxes of one session or call. The first 16 KiB of each mailbox are
    /// not counted.
    /// </summary>
    /// <value>1,024 or more.</value>
    /// <remarks>Defaults to 256 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxWaitingSizePerSession
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxWaitingSizePerSession));
    } = 256L * 1024 * 1024;

    /// <summary>
    /// The most bytes of events that wait in all mailboxes of the hub. The first 16 KiB of each mailbox are not
    /// counted.
    /// </summary>
    /// <value>1,024 or more.</value>
    /// <remarks>Defaults to 1 GiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxWaitingSize
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxWaitingSize));
    } = 1024L * 1024 * 1024;

    /// <summary>
    /// The most bytes of memory for messages that clients send in parts, as long as the last part has not come, for all
    /// sessions of the hub together. A session has one such message at most, of <see cref="MaxEventSize"/> and 1 MiB at
    /// most. A session whose part finds no room is ended. Its client opens another session, and sends the message
    /// again.
    /// </summary>
    /// <value>1,024 or more. One message always fits.</value>
    /// <remarks>Defaults to 256 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxPartsSize
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxPartsSize));
    } = 256L * 1024 * 1024;

    /// <summary>
    /// The most machines that one session or call may have registered at once.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 50,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxMachinesPerSession
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxMachinesPerSession));
    } = 50_000;

    /// <summary>
    /// The most groups that a machine may be a member of.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 64.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxGroupsPerMachine
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxGroupsPerMachine));
    } = 64;

    /// <summary>
    /// The most bytes that the machines of one session or call may take, with their ids and groups: about 500 for a
    /// machine, about 130 for each group, and two for each character.
    /// </summary>
    /// <value>1,024 or more.</value>
    /// <remarks>Defaults to 64 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxRegistrationSizePerSession
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxRegistrationSizePerSession));
    } = 64L * 1024 * 1024;

    /// <summary>
    /// The most bytes that all machines of the hub together may take, counted as for
    /// <see cref="MaxRegistrationSizePerSession"/>.
    /// </summary>
    /// <value>1,024 or more.</value>
    /// <remarks>Defaults to 256 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1,024.</exception>
    public long MaxRegistrationSize
    {
        get;
        set => field = Check(value, 1024L, nameof(MaxRegistrationSize));
    } = 256L * 1024 * 1024;

    /// <summary>
    /// The most subscriptions, except those to inboxes, that one session may have. At most 64 of them may name the same
    /// machine, group, source or event.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 10,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxObserversPerSession
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxObserversPerSession));
    } = 10_000;

    /// <summary>
    /// The most subscriptions, except those to inboxes, that all sessions of the hub together may have.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 100,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxObservers
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxObservers));
    } = 100_000;

    /// <summary>
    /// The weight that the patterns of one session may have together. Only those patterns count that name no machine,
    /// source or event in full, since any number of them may have to be compared with one event. A pattern that says
    /// how a name begins (<c>oven-*</c>), or a subscription to all events, weighs 1. A pattern with a star elsewhere,
    /// or with question marks, weighs 8. A pattern with question marks after a star weighs 64 for each 64 characters.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 512.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxPatternsPerSession
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxPatternsPerSession));
    } = 512;

    /// <summary>
    /// The weight that the patterns of all sessions of the hub may have together, weighed as for
    /// <see cref="MaxPatternsPerSession"/>.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 4,096.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxPatterns
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxPatterns));
    } = 4096;

    /// <summary>
    /// The most sends of one session that wait at once for more than <c>Accepted</c>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 65,536.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxPendingAcknowledgementsPerSession
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxPendingAcknowledgementsPerSession));
    } = 65_536;

    /// <summary>
    /// The most sends of all sessions of the hub together that wait at once for more than <c>Accepted</c>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 1,048,576.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxPendingAcknowledgements
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxPendingAcknowledgements));
    } = 1_048_576;

    /// <summary>
    /// The most weight that one pattern may have which the hub compares with all machines once: the pattern of a
    /// publication, or of a list of machines. It is weighed as for <see cref="MaxPatternsPerSession"/>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 64.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxPatternWeight
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxPatternWeight));
    } = 64;

    /// <summary>
    /// The most sessions that one user may have open at once. A subscription by a single call counts as one. All
    /// callers whose user is not known count as one user. Users that are known and have no name count as one user for
    /// each connection.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 5,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxSessionsPerUser
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxSessionsPerUser));
    } = 5000;

    /// <summary>
    /// The most sessions that all users of the hub together may have open at once. A subscription by a single call
    /// counts as one.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 10,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxSessions
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxSessions));
    } = 10_000;

    /// <summary>
    /// The most registrations by a single call (<c>RegisterMachines</c>) that one user may have made within
    /// <see cref="UnclaimedTimeout"/>. Each call counts as one, for any number of machines.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 5,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxLeasesPerUser
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxLeasesPerUser));
    } = 5000;

    /// <summary>
    /// The most registrations by a single call (<c>RegisterMachines</c>) that all users of the hub together may have
    /// made within <see cref="UnclaimedTimeout"/>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 10,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxLeases
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxLeases));
    } = 10_000;
}
