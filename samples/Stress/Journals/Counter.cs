namespace Samples.Stress.Journals;

/// <summary>What a process counts in its journal, over all its lives.</summary>
internal enum Counter
{
    /// <summary>Producer: events handed to the bus, those that were sent again included.</summary>
    Sent,

    /// <summary>Producer: events handed to the bus once more, because they had not been acknowledged.</summary>
    SentAgain,

    /// <summary>Producer: sends that the bus answered with an error.</summary>
    Failed,

    /// <summary>Producer: sends that the bus did not answer at all.</summary>
    Hung,

    /// <summary>Consumer: events that the bus handed over.</summary>
    Received,

    /// <summary>Consumer: events that had been processed before and were acknowledged again.</summary>
    Duplicates,

    /// <summary>Consumer: events that were refused because one before them was missing.</summary>
    Refused,

    /// <summary>Consumer: events whose checksum was wrong, or that were for another.</summary>
    Corrupt,
}
