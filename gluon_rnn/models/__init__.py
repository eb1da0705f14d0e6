"""Networks with an output layer and a task: language models, classifiers, fill-in, waveforms; and the writing of text."""
