namespace GrpcShm.Fuzz;

/// <summary>
/// Something that takes bytes from a peer. To fuzz another one, write a class of this kind and add it to
/// <see cref="FuzzTargets"/>.
/// </summary>
internal interface IFuzzTarget
{
    /// <summary>What it is called on the command line, in file names and in reports.</summary>
    string Name { get; }

    /// <summary>How many of a run's inputs it gets, in relation to the others: more for what is faster.</summary>
    int Weight { get; }

    /// <summary>The longest input in bytes that makes sense.</summary>
    int MaxLength { get; }

    /// <summary>Valid inputs to begin with.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Takes one input, on the calling thread only.</summary>
    /// <returns>
    /// What became of it, in a few words that are the same for inputs that go the same way: an input that leads to
    /// something new is kept to make others from.
    /// </returns>
    /// <exception cref="Exception">The input does what no input may: this is a finding.</exception>
    string Run(ReadOnlySpan<byte> input);
}
