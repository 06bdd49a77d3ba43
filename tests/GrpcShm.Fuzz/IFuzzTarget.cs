namespace GrpcShm.Fuzz;

/// <summary>
/// A part of the libraries that takes bytes from a peer. To fuzz another part, write a target and add it to <see
/// cref="FuzzTargets"/>.
/// </summary>
internal interface IFuzzTarget
{
    /// <summary>Its name on the command line, in file names and in reports.</summary>
    string Name { get; }

    /// <summary>Its share of a run's inputs, in relation to the other targets: more for a faster target.</summary>
    int Weight { get; }

    /// <summary>The longest input in bytes that makes sense.</summary>
    int MaxLength { get; }

    /// <summary>Valid inputs to begin with.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Takes one input, on the calling thread only.</summary>
    /// <returns>The outcome in a few words, which are the same for inputs that take the same way. An input with a new
    /// outcome is kept, and new inputs are made from it.</returns>
    /// <exception cref="Exception">The input causes a failure: this is a finding.</exception>
    string Run(ReadOnlySpan<byte> input);
}
